// Keeps the files of a cluster's TLS in memory. The cluster's TLS layer reads certificate, key and
// authority from their files again for each connection, and ends the process when it cannot: when a
// file is being renewed, or when strangers hold so many connections that no further file can be
// opened. tls_files.cpp replaces the three functions of OpenSSL that it calls, for the whole
// program, by functions that take what was read at the start (security §1.2).
#pragma once

#include <filesystem>
#include <string>

#include "messages/values/expected.hpp"

namespace soma::crypto {

/// Reads the three PEM files. From now on, OpenSSL gets their present content in this process,
/// whatever becomes of the files. Returns why it failed.
[[nodiscard]] expected<void, std::string> hold_tls_files(const std::filesystem::path& certificate,
                                                         const std::filesystem::path& key,
                                                         const std::filesystem::path& authority);

}  // namespace soma::crypto
