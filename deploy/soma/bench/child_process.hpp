// A process that a benchmark starts beside itself: where it may run, and what it has cost.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace soma::cli {

/// A child process, which is stopped when the object is destroyed: first by SIGINT and, if it still
/// runs after 10 s, by SIGKILL. It is also asked to stop when this process ends without destroying
/// anything.
class child_process {
 public:
  struct setting {
    std::vector<std::string> words;  // its command line; the first word is the name it is given
    std::filesystem::path log;       // what it prints
    std::filesystem::path program = "/proc/self/exe";
    std::vector<unsigned> processors = {};  // where it may run; empty: everywhere
  };

  explicit child_process(const setting& what);
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&&) = delete;
  ~child_process();

  [[nodiscard]] bool runs() const;
  /// What it has printed so far.
  [[nodiscard]] std::string said() const;
  /// Processor time that it and its own children have used so far.
  [[nodiscard]] double cpu_seconds() const;
  /// Memory that belongs to the process alone. Mapped files do not count, since the system may take
  /// their pages back.
  [[nodiscard]] std::uint64_t memory_bytes() const;

 private:
  pid_t id_ = -1;
  std::filesystem::path log_;
};

/// The first of `count` consecutive ports on which no process listens; nullopt if 200 tries find no
/// such row. The search begins at a place that depends on the process id, so that two benchmarks
/// that run at the same time do not choose the same ports.
[[nodiscard]] std::optional<std::uint32_t> free_ports(std::uint32_t count);

/// The processors of this process in two halves, so that a client takes nothing from the server
/// that it measures. Both are empty if there is one processor alone.
struct processor_halves {
  std::vector<unsigned> servers, client;
};
[[nodiscard]] processor_halves split_processors();

/// Keeps the calling thread on these processors while the object lives. No processors: no change.
class bound_thread {
 public:
  explicit bound_thread(const std::vector<unsigned>& processors);
  ~bound_thread();
  bound_thread(const bound_thread&) = delete;
  bound_thread& operator=(const bound_thread&) = delete;

 private:
  std::vector<unsigned> before_;
};

}  // namespace soma::cli
