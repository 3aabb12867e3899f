// What the cluster's TLS layer does not do by itself. cluster_tls.cpp replaces some functions of
// OpenSSL for the whole program.
#pragma once

#include <filesystem>
#include <string>

#include "messages/values/expected.hpp"

namespace soma::crypto {

/// Keeps the errors of one TLS connection away from the others. OpenSSL keeps a queue of errors for
/// each thread, and code that asks how a call went finds errors there that an earlier call on
/// another connection left. The cluster's TLS layer serves all connections on one thread and never
/// empties the queue, so a peer that fails a handshake, or leaves without closing the session,
/// takes healthy connections down with it. SSL_accept, SSL_connect, SSL_read and SSL_write
/// therefore empty the queue first. This function does nothing at run time; a program that calls it
/// is linked with them.
void keep_tls_errors_apart();

/// Keeps the files of a cluster's TLS in memory (security §1.2). The TLS layer reads certificate,
/// key and authority from their files again for each connection, and ends the process when it
/// cannot: when a file is being renewed, or when strangers hold so many connections that no further
/// file can be opened. This function reads the three PEM files; from now on OpenSSL gets what they
/// hold now, whatever becomes of them. An empty path stands for no file. Returns why it failed.
[[nodiscard]] expected<void, std::string> hold_tls_files(const std::filesystem::path& certificate,
                                                         const std::filesystem::path& key,
                                                         const std::filesystem::path& authority);

}  // namespace soma::crypto
