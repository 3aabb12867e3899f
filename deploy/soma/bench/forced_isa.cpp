#include "deploy/soma/bench/forced_isa.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "deploy/soma/shell/stop.hpp"

namespace soma::cli {
namespace {

/// What the peers call a set. OpenBLAS has no name for "one lane"; its oldest core has four.
struct peer_names {
  const char* openblas;
  const char* libtorch;
};
peer_names peer_names_of(simd::isa set) {
  switch (set) {
    case simd::isa::avx2:
      return {"Haswell", "avx2"};
    case simd::isa::avx512:
      return {"SkylakeX", "avx512"};
    case simd::isa::neon:
      return {"ARMV8", "default"};
    default:
      return {"Prescott", "default"};
  }
}

std::string runnable_text() {
  std::string text;
  for (const auto set : simd::available_isas()) {
    text += (text.empty() ? "" : ", ") + std::string(to_text(set));
  }
  return text;
}

// What a child sends to its parent: fields, each with its length before it.

void put(std::string& out, std::string_view text) {
  const std::uint64_t size = text.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text);
}
void put(std::string& out, double value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class reader {
 public:
  explicit reader(std::string_view from) : rest_(from) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  double number() { return std::bit_cast<double>(take_word()); }
  std::string text() {
    const auto size = std::min<std::uint64_t>(take_word(), rest_.size());
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }

 private:
  std::uint64_t take_word() {
    std::uint64_t word = 0;
    if (rest_.size() < sizeof word) {
      rest_ = {};
      return 0;
    }
    rest_.copy(reinterpret_cast<char*>(&word), sizeof word);
    rest_.remove_prefix(sizeof word);
    return word;
  }
  std::string_view rest_;
};

constexpr std::string_view rows_mark = "rows";
constexpr std::string_view failure_mark = "failure";

std::string encode(const expected<std::vector<bench_row>, failure>& result) {
  std::string out;
  if (!result) {
    put(out, failure_mark);
    for (const auto& part : {result.error().problem, result.error().why, result.error().what_to_do})
      put(out, part);
    put(out, static_cast<double>(result.error().code));
    return out;
  }
  put(out, rows_mark);
  for (const auto& row : *result) {
    for (const auto& part : {row.compared, row.peer, row.unit_of_work}) put(out, part);
    for (const double value : {row.ours_seconds, row.peer_seconds, row.work}) put(out, value);
  }
  return out;
}

expected<std::vector<bench_row>, failure> decode(std::string_view from, simd::isa set) {
  reader in(from);
  const std::string mark = in.text();
  if (mark == failure_mark) {
    failure f{in.text(), in.text(), in.text(), exit_code::failed};
    f.code = static_cast<exit_code>(static_cast<int>(in.number()));
    return make_unexpected(std::move(f));
  }
  if (mark != rows_mark) {
    return failed("the measurement with " + std::string(to_text(set)) + " did not end",
                  "its process was killed or crashed",
                  "run it alone: --isa " + std::string(to_text(set)));
  }
  std::vector<bench_row> rows;
  while (!in.at_end()) {
    bench_row row;
    row.compared = in.text();
    row.peer = in.text();
    row.unit_of_work = in.text();
    row.ours_seconds = in.number();
    row.peer_seconds = in.number();
    row.work = in.number();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string read_all(int from) {
  std::string all;
  char part[4'096];
  for (;;) {
    const ssize_t count = ::read(from, part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return all;
    all.append(part, static_cast<std::size_t>(count));
  }
}

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(to, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

expected<std::vector<simd::isa>, failure> sets_named(std::string_view names) {
  if (names.empty()) return std::vector{simd::chosen_isa()};
  auto runnable = simd::available_isas();
  if (names == "all") {
    if (runnable.size() > 1) runnable.erase(runnable.begin());
    return runnable;
  }
  std::vector<simd::isa> sets;
  for (std::size_t at = 0; at <= names.size();) {
    const auto end = std::min(names.find(',', at), names.size());
    const auto name = names.substr(at, end - at);
    const auto set = simd::parse_isa(name);
    if (!set || std::find(runnable.begin(), runnable.end(), *set) == runnable.end()) {
      return wrong_usage("--isa",
                         set ? "this processor cannot run " + std::string(name)
                             : "\"" + std::string(name) + "\" names no instruction set",
                         "it can run " + runnable_text() + "; all measures each");
    }
    sets.push_back(*set);
    at = end + 1;
  }
  return sets;
}

expected<std::vector<bench_row>, failure> measure_with(simd::isa set, const measurement& measure) {
  const auto peers = peer_names_of(set);
  ::setenv("SOMA_ISA", std::string(to_text(set)).c_str(), 1);
  ::setenv("OPENBLAS_CORETYPE", peers.openblas, 1);
  ::setenv("ATEN_CPU_CAPABILITY", peers.libtorch, 1);
  return measure();
}

expected<std::vector<bench_row>, failure> measure_in_child(simd::isa set,
                                                           const measurement& measure) {
  leave_if_stop_requested();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return failed("cannot measure " + std::string(to_text(set)), "there is no free pipe");
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return failed("cannot measure " + std::string(to_text(set)), "no process can be started");
  }
  if (child == 0) {
    ::close(ends[0]);
    try {
      write_all(ends[1], encode(measure_with(set, measure)));
    } catch (const std::exception& error) {
      write_all(ends[1], encode(failed("the measurement failed", reason_of(error))));
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  const std::string sent = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  leave_if_stop_requested();
  return decode(sent, set);
}

}  // namespace soma::cli
