// Locks on folders and files that a process owns while it works on them.
#pragma once

#include <filesystem>
#include <optional>

#include "deploy/soma/shell/failure.hpp"

namespace soma::cli {

/// A lock on a folder that this process owns while the lock lives. The kernel gives it up when the
/// process ends, in whatever way.
class folder_lock {
 public:
  /// Takes the lock `path`, a file that is made if it is missing. Refuses with `taken` if another
  /// process has it.
  [[nodiscard]] static expected<folder_lock, failure> take(const std::filesystem::path& path,
                                                           failure taken);
  /// The same for work that ends: the file of the lock goes away with it, unless the process is
  /// killed.
  [[nodiscard]] static expected<folder_lock, failure> take_for_now(
      const std::filesystem::path& path, failure taken);
  /// Takes the lock together with others that share it: while one of them lives, take() refuses.
  /// Refuses with `taken` while a process has it alone. nullopt if no lock can be held there, as in
  /// a folder that may only be read: then nothing keeps its owner from changing it.
  [[nodiscard]] static expected<std::optional<folder_lock>, failure> share(
      const std::filesystem::path& path, failure taken);
  folder_lock(folder_lock&& other) noexcept;
  folder_lock& operator=(folder_lock&&) = delete;
  ~folder_lock();

 private:
  explicit folder_lock(int opened) : descriptor_(opened) {}
  int descriptor_;
  std::filesystem::path removed_at_end_;  // empty: the file stays
};

}  // namespace soma::cli
