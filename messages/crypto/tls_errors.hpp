// Keeps the errors of one TLS connection away from the others. OpenSSL keeps a queue of errors for
// each thread, and code that asks how a call went finds errors there that an earlier call on
// another connection left. The cluster's TLS layer serves all connections on one thread and never
// empties the queue, so a peer that fails a handshake, or leaves without closing the session, takes
// healthy connections down with it. tls_errors.cpp replaces SSL_accept, SSL_connect, SSL_read and
// SSL_write for the whole program by functions that first empty the queue.
#pragma once

namespace soma::crypto {

/// Does nothing at run time; a program that calls it is linked with the functions above.
void keep_tls_errors_apart();

}  // namespace soma::crypto
