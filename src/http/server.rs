//! Sockets, limits, timeouts and the panic guard, around one warp filter. The only file that names warp.
