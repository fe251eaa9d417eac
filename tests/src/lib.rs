//! What proves mayfly: transcripts, real clients, faults.
