#include "deploy/soma/bench/child_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace soma::cli {
namespace {

using steady = std::chrono::steady_clock;

// Linux takes ports for outgoing connections from 32,768 on by default; these lie below.
constexpr std::uint32_t lowest_port = 20'000, highest_port = 32'000;

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The parts of a process have their files in this folder.
std::filesystem::path folder_of(pid_t id) {
  return "/proc/" + std::to_string(id);
}

double cpu_seconds_of(pid_t id) {
  const auto text = content_of(folder_of(id) / "stat");
  const auto name_end = text.rfind(')');
  if (name_end == text.npos) return 0;
  std::istringstream rest(text.substr(name_end + 2));
  std::string word;
  double ticks = 0;
  for (int field = 3; field <= 15 && rest >> word; ++field) {
    if (field >= 14) ticks += std::stod(word);
  }
  double sum = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::istringstream children(content_of(folder_of(id) / "task" / std::to_string(id) / "children"));
  for (pid_t child = 0; children >> child;) sum += cpu_seconds_of(child);
  return sum;
}

bool is_free(std::uint32_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  ::close(fd);
  return bound;
}

cpu_set_t set_of(const std::vector<unsigned>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const auto one : processors) CPU_SET(one, &set);
  return set;
}

std::vector<unsigned> allowed_processors() {
  cpu_set_t set;
  std::vector<unsigned> all;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return all;
  for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) all.push_back(i);
  }
  return all;
}

}  // namespace

child_process::child_process(const setting& what) : log_(what.log) {
  auto words = what.words;
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto where = set_of(what.processors);
  const bool is_bound = !what.processors.empty();
  const auto parent = ::getpid();
  id_ = ::fork();
  if (id_ != 0) return;
  // Only calls that are safe after a fork of a process with threads.
  (void)::prctl(PR_SET_PDEATHSIG, SIGINT);
  const int nothing = ::open("/dev/null", O_RDONLY);
  const int written = ::open(what.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const bool is_ready = ::getppid() == parent && nothing >= 0 && written >= 0 &&
                        (!is_bound || ::sched_setaffinity(0, sizeof where, &where) == 0) &&
                        ::dup2(nothing, STDIN_FILENO) >= 0 && ::dup2(written, STDOUT_FILENO) >= 0 &&
                        ::dup2(written, STDERR_FILENO) >= 0;
  if (is_ready) ::execv(what.program.c_str(), argv.data());
  ::_exit(1);
}

child_process::child_process(child_process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), log_(std::move(other.log_)) {}

child_process::~child_process() {
  if (id_ <= 0) return;
  ::kill(id_, SIGINT);
  const auto asked = steady::now();
  while (::waitpid(id_, nullptr, WNOHANG) == 0) {
    if (steady::now() - asked > std::chrono::seconds(10)) ::kill(id_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool child_process::runs() const {
  return id_ > 0 && ::waitpid(id_, nullptr, WNOHANG) == 0;
}

std::string child_process::said() const {
  return content_of(log_);
}

double child_process::cpu_seconds() const {
  return id_ > 0 ? cpu_seconds_of(id_) : 0;
}

std::uint64_t child_process::memory_bytes() const {
  std::ifstream file(folder_of(id_) / "status");
  std::string word;
  while (file >> word) {
    if (word != "RssAnon:") continue;
    std::uint64_t kib = 0;
    file >> kib;
    return kib * 1024;
  }
  return 0;
}

std::optional<std::uint32_t> free_ports(std::uint32_t count) {
  const auto span = highest_port - lowest_port - count;
  auto first = lowest_port + static_cast<std::uint32_t>(::getpid()) * 67 % span;
  for (std::uint32_t tries = 0; tries < 200;
       ++tries, first = lowest_port + (first + count) % span) {
    std::uint32_t free = 0;
    while (free < count && is_free(first + free)) ++free;
    if (free == count) return first;
  }
  return std::nullopt;
}

processor_halves split_processors() {
  const auto all = allowed_processors();
  if (all.size() < 2) return {};
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  return {{all.begin(), middle}, {middle, all.end()}};
}

bound_thread::bound_thread(const std::vector<unsigned>& processors) {
  if (processors.empty()) return;
  before_ = allowed_processors();
  const auto set = set_of(processors);
  (void)::sched_setaffinity(0, sizeof set, &set);
}

bound_thread::~bound_thread() {
  if (before_.empty()) return;
  const auto set = set_of(before_);
  (void)::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace soma::cli
