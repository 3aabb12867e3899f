// Files that a person named: they are read whole, or refused with a reason that a person can act
// on; what is written is there as a whole, or everything is as it was before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "deploy/soma/shell/failure.hpp"
#include "messages/values/bytes.hpp"

namespace soma::cli {

struct run_context;

/// The home directory of the user: HOME, or what the system knows of the user when HOME is not set,
/// as for a service.
[[nodiscard]] std::filesystem::path home_of_user();
/// The path with the user's home in place of a `~` that stands alone or before a slash: a shell
/// replaces it only at the beginning of a word, and not in a configuration.
[[nodiscard]] std::filesystem::path expanded(const std::filesystem::path& path);
/// The path that a configuration names: relative to the folder of the configuration `file`, and
/// expanded as above.
[[nodiscard]] std::filesystem::path path_beside(const std::filesystem::path& file,
                                                const std::string& named);

/// Reads a regular file of at most `max_bytes` to its end; one that is written to meanwhile is
/// refused. A file of the kernel, such as those in /proc, has its content although its size says 0.
/// Refusals call the file `what_for`: "the data", "the
/// weights".
[[nodiscard]] expected<bytes, failure> read_named_file(const std::filesystem::path& path,
                                                       std::uint64_t max_bytes,
                                                       std::string_view what_for);

/// The size of such a file in bytes, without reading it.
[[nodiscard]] expected<std::uint64_t, failure> size_of_named_file(const std::filesystem::path& path,
                                                                  std::uint64_t max_bytes,
                                                                  std::string_view what_for);

/// True for a regular file that begins as a private key in PEM does.
[[nodiscard]] bool holds_private_key(const std::filesystem::path& path);

/// Checks that a new file may be written at `path`: its folder exists and may be written to, and no
/// file of that name exists unless `may_replace`. Even then it refuses to replace what is no
/// regular file, a file with a private key, the configuration of this command, and what soma itself
/// keeps: keys and publications of the home, locks, and what lies in the folder of a ledger. A verb
/// calls it before its work begins.
[[nodiscard]] outcome check_new_file(const run_context& context, const std::filesystem::path& path,
                                     bool may_replace);

/// Writes a file that is there as a whole: the content goes to a new file beside it, which is
/// synced and then takes the name. On failure, such as a full disk, nothing new is left, and a file
/// that was there is as it was. `mode` is that of open(2), before the umask.
[[nodiscard]] outcome write_named_file(const std::filesystem::path& path, byte_view content,
                                       bool may_replace, unsigned mode = 0644);

/// A file of a command, for refusals.
struct named_path {
  std::string name;  // "--output"
  std::filesystem::path path;
};
/// True if both are one file, by whatever way they are written: through `.`, links, or another
/// name of one inode. Files that do not exist yet are compared by the folder that they will be in.
[[nodiscard]] bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);
/// Refuses if one of the files that a command writes or removes is also another of its files.
[[nodiscard]] outcome check_distinct(std::span<const named_path> written,
                                     std::span<const named_path> read);

/// The name of the lock in the home of a node.
inline constexpr const char* home_lock_name = "node.lock";

}  // namespace soma::cli
