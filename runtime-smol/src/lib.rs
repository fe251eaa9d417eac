//! The async mayfly driver on smol: sockets, timers and scheduling. Blocking work is mayfly-std's, on the blocking pool.
