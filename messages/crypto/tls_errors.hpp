// Why this is here: OpenSSL keeps a queue of errors for each thread, and whoever asks how a call
// went finds what an earlier call on another connection left there. The cluster's TLS layer serves
// all connections on one thread and never empties the queue, so a peer that fails a handshake, or
// leaves without a goodbye, takes healthy connections with it. tls_errors.cpp puts functions that
// empty the queue first in the place of SSL_accept, SSL_connect, SSL_read and SSL_write, for the
// whole program.
#pragma once

namespace soma::crypto {

/// Does nothing at run time: a program that calls it is linked with the functions above.
void keep_tls_errors_apart();

}  // namespace soma::crypto
