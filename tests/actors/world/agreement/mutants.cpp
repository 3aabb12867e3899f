#include "tests/actors/world/agreement/mutants.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include "actors/world/agreement/world.hpp"

namespace soma::agreement_world::testing {
namespace {

using consensus::mutation;

/// What the child tells: it may end at any moment.
struct told {
  volatile std::uint64_t seed = 0;
  volatile bool done = false;
  volatile bool noticed = false;
  char by[240] = {};
};

void note(told& out, std::string_view by) {
  std::memcpy(out.by, by.data(), std::min(by.size(), sizeof out.by - 1));
  out.noticed = true;
}

world of(mutation broken, std::size_t size) {
  auto p = quiet_plan(1, size);
  p.heal_ms = 1'000'000'000;
  run_options options;
  options.broken = broken;
  return world(std::move(p), options);
}

/// A member contradicts itself; it has to be punished for it.
bool is_contradiction_unpunished(mutation broken) {
  auto w = of(broken, 4);
  w.set_behaviours(2, static_cast<std::uint32_t>(behaviour::silent));
  if (!w.run_blocks(2, 60'000)) return true;
  const auto view = w.core(0)->view() + 3;
  for (const std::uint8_t first : {1, 2}) {
    block_id id;
    id.value[0] = first;
    const auto vote = w.signed_by(2, {vote_kind::notarize, w.epoch(0), view, id});
    w.inject(2, 0, std::make_shared<const peer_message>(peer::vote{vote}));
  }
  return !w.run_until([](const world& x) { return x.is_slashed(2); }, 60'000);
}

/// A member votes for a hundred thousand views; it must not cost more than those of a window.
bool is_memory_taken(mutation broken) {
  auto w = of(broken, 4);
  w.set_behaviours(3, static_cast<std::uint32_t>(behaviour::silent));
  if (!w.run_blocks(2, 60'000)) return true;
  const auto first = w.core(0)->view() + 1;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    block_id id;
    id.value[0] = static_cast<std::uint8_t>(i);
    const auto vote = w.signed_by(3, {vote_kind::notarize, w.epoch(0), first + i, id});
    w.inject(3, 0, std::make_shared<const peer_message>(peer::vote{vote}));
  }
  w.run_for(1'000);
  return w.core(0)->held_bytes() >= 256 * 1024;
}

bool does_story_notice(mutation broken) {
  switch (broken) {
    case mutation::contradictions_not_reported:
      return is_contradiction_unpunished(broken);
    case mutation::votes_of_any_view:
      return is_memory_taken(broken);
    default:
      return false;
  }
}

void live(told& out, mutation broken, std::uint64_t first, std::uint64_t last) {
  if (does_story_notice(broken)) return note(out, "story");
  run_options options;
  options.broken = broken;
  for (auto seed = first; seed <= last; ++seed) {
    out.seed = seed;
    const auto seen = run(draw_plan(seed, intensity_of(seed)), options);
    if (!seen.ok) return note(out, seen.violation);
  }
}

/// Shared with the child; unmapped with the last copy of the parent.
class shared_told {
 public:
  shared_told() {
    void* at =
        ::mmap(nullptr, sizeof(told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::runtime_error("no shared memory");
    what_ = new (at) told;
  }
  shared_told(const shared_told&) = delete;
  shared_told& operator=(const shared_told&) = delete;
  ~shared_told() { ::munmap(what_, sizeof(told)); }
  [[nodiscard]] told& operator*() const { return *what_; }

 private:
  told* what_;
};

}  // namespace

std::uint32_t intensity_of(std::uint64_t seed) {
  return seed % 4 == 0 ? 1 : 2 + static_cast<std::uint32_t>(seed % 2);
}

mutant_fate fate_of(mutation broken, std::uint64_t first, std::uint64_t last) {
  const shared_told shared;
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    for (const int each : {SIGABRT, SIGSEGV}) std::signal(each, SIG_DFL);  // not the parent's
    live(*shared, broken, first, last);
    (*shared).done = true;
    ::_exit(0);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) throw std::runtime_error("a child was lost");
  const auto& out = *shared;
  mutant_fate fate;
  fate.seed = out.seed;
  fate.seeds = out.seed == 0 ? 0 : out.seed - first + 1;
  fate.intensity = out.seed == 0 ? 0 : intensity_of(out.seed);
  fate.killed = out.noticed || !out.done;
  if (out.noticed) fate.by = out.by;
  if (!out.done)
    fate.by = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? "assertion" : "crash";
  return fate;
}

std::string_view why_equivalent(mutation broken) {
  switch (broken) {
    case mutation::finalizes_unvoted:
      return "a notarized block is safe to finalize for anybody who has not skipped its view: the "
             "rule keeps blocks available, it does not keep agreement";
    case mutation::skips_after_finalize:
      return "finalizing a view takes its certificate, which ends the view here for good, and only "
             "the present view is skipped; the certificate is durable with the vote, so that this "
             "holds after a restart, too";
    case mutation::certificates_not_fetched:
      return "a proposal carries the certificates it stands on and standstill messages say them "
             "again: asking for them is faster, not more";
    default:
      return {};
  }
}

}  // namespace soma::agreement_world::testing
