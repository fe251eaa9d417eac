//! TLS as both drivers speak it: [`TlsServer`] is what the operator has set, [`TlsSession`] what one control connection
//! makes of it, [`TlsStream`] one secured connection. A driver adds only how it waits.

mod client_certificate;
pub mod make;
mod pem;
mod resumption;
mod server;
mod stream;

pub use pem::TlsFileError;
pub use server::{ClientCertificates, TlsFiles, TlsServer, TlsSession, TlsVersion};
pub use stream::{TlsStream, Wait, tls_error};

#[cfg(test)]
mod tests;
