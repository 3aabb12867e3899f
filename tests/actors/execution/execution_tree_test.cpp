// Executes blocks above a ledger in every order and on every fork. The results are compared with
// those of executing each chain from its beginning, and a router follows them.
#include "actors/execution/execution_tree.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "actors/replay/chain_replay.hpp"
#include "tests/actors/execution/forked_chain.hpp"
#include "tests/support/scratch.hpp"

namespace soma::test {
namespace {

using execution::execution_tree;
using execution::execution_trouble;
using execution::router_update;

/// Holds one version of the models, as the real router does. It refuses an update that it already
/// has, or whose changes do not fit its version.
struct router {
  std::map<model_id, std::pair<std::uint32_t, std::vector<float>>> models;
  std::uint64_t version = 0;
  bool known = false;
  std::size_t snapshots = 0, deltas = 0;

  [[nodiscard]] bool take(const router_update& told, const execution_tree& from) {
    if (told.snapshot) {
      ++snapshots;
      models.clear();
      for (const auto& m : ledger::active_model_rows(*from.rows_at(told.rows), 1'000)) {
        models[m.id] = {m.row.active_version, m.active.embedding};
      }
    } else {
      ++deltas;
      if (known && told.to <= version) return true;
      if (!known || told.from != version) return false;
    }
    for (const auto& change : told.changes) {
      if (change.active) {
        models[change.version.model] = {change.version.version, change.embedding};
      } else {
        models.erase(change.version.model);
      }
    }
    version = told.to;
    known = true;
    return true;
  }
};

/// Uses the tree as a validator does. Any answer may come late, twice or not at all.
class trial {
 public:
  explicit trial(std::uint64_t seed) : chain(seed), d{seed ^ 0xabcdef} {
    ledger = std::make_unique<tables::ledger_store>(directory_.path());
    ledger->init(encode(chain.genesis), rules::genesis_rows(chain.genesis));
    tested = std::make_unique<execution_tree>(*ledger, chain.genesis);
    nodes_.push_back({chain.start(), -1, true, false});
    tell_base();
  }

  forked_chain chain;
  dice d;
  router model_router;
  std::unique_ptr<tables::ledger_store> ledger;
  std::unique_ptr<execution_tree> tested;
  std::vector<block_ptr> final_blocks;
  std::size_t executed = 0, unknown = 0, gone = 0, draws = 0, failed_draws = 0;

  void step() {
    const auto roll = d.below(100);
    if (roll < 30) return grow();
    if (roll < 65) return execute_one();
    if (roll < 85) return answer_one();
    commit_one();
  }
  /// Finishes the pending executions and executes all blocks that are left.
  void finish() {
    while (!waiting_.empty()) answer_one();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].gone || nodes_[i].executed) continue;
      for (int tries = 0; !nodes_[i].executed && tries < 40; ++tries) {
        execute(i);
        while (!waiting_.empty()) answer_one();
      }
      REQUIRE(nodes_[i].executed);
    }
  }

 private:
  struct node {
    forked_block made;
    int parent;
    bool executed;
    bool gone;
  };
  struct waiting {
    std::size_t node;
    execution_tree::pending_execution run;
    std::uint64_t ticket;
    bool taken;
    rules::drawn_targets drawn;
  };

  [[nodiscard]] std::size_t pick(const std::function<bool(const node&)>& fits) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].gone && fits(nodes_[i])) found.push_back(i);
    }
    if (found.empty()) return SIZE_MAX;
    return d.chance(40) ? found.back() : found[d.below(found.size())];
  }

  void grow() {
    const auto parent = pick([](const node&) { return true; });
    const auto live = std::ranges::count_if(nodes_, [](const node& n) { return !n.gone; });
    if (live > 12) return;
    nodes_.push_back({chain.next(nodes_[parent].made), static_cast<int>(parent), false, false});
  }

  void execute_one() {
    // Sometimes it is a block that was executed before.
    const auto i =
        pick([&](const node& n) { return n.parent >= 0 && (!n.executed || d.chance(10)); });
    if (i != SIZE_MAX && i != base_) execute(i);
  }

  void execute(std::size_t i) {
    auto& n = nodes_[i];
    const auto& parent = nodes_[static_cast<std::size_t>(n.parent)];
    const auto& content = n.made.block;
    auto begun = tested->begin(d.chance(50) ? forked_chain::draft_of(content) : content);
    if (!parent.executed && !n.executed) {
      ++unknown;
      REQUIRE(!begun);
      REQUIRE(begun.error() == execution_trouble::unknown_parent);
      return;
    }
    REQUIRE(begun.has_value());
    if (const auto* done = std::get_if<consensus::execution_result>(&*begun)) {
      return check(i, *done);
    }
    auto& run = std::get<execution_tree::pending_execution>(*begun);
    const auto told = tested->router_for(run);
    ++draws;
    // While a message is on its way, the state of the router is not known.
    if (awaited_ != 0) REQUIRE(told.snapshot);
    awaited_ = told.ticket;
    waiting asked{i, std::move(run), told.ticket, true, {}};
    const auto luck = d.below(100);
    if (luck < 4) model_router = {};  // a new router, which holds nothing
    if (luck < 8) {
      asked.taken = false;  // the message is lost
    } else {
      asked.taken = model_router.take(told, *tested);
      asked.drawn = drawn_from(asked.run.draws(), model_router.models);
      if (luck < 12) asked.taken = false;  // the answer is lost
    }
    waiting_.push_back(std::move(asked));
  }

  void answer_one() {
    if (waiting_.empty()) return;
    const auto at = waiting_.begin() + static_cast<long>(d.below(waiting_.size()));
    auto asked = std::move(*at);
    waiting_.erase(at);
    tested->router_answered(asked.ticket, asked.taken);
    if (asked.ticket == awaited_) awaited_ = 0;
    if (!asked.taken) {
      ++failed_draws;
      return tell_base();
    }
    const auto done = tested->finish(std::move(asked.run), asked.drawn);
    if (nodes_[asked.node].gone || asked.node == base_) {
      if (!done) REQUIRE(done.error() == execution_trouble::parent_gone);
      ++gone;
      return;
    }
    if (!done) MESSAGE(to_text(done.error()));
    REQUIRE(done.has_value());  // the router held the registry of this execution
    check(asked.node, *done);
  }

  void check(std::size_t i, const consensus::execution_result& result) {
    auto& n = nodes_[i];
    const auto& straight = *n.made.after;
    const auto& header = n.made.block->block.header;
    ++executed;
    n.executed = true;
    REQUIRE(result.follows);
    REQUIRE(result.root == straight.tree.root());
    REQUIRE(consensus::complete(header, result) == header);
    REQUIRE(result.epoch_end_ms ==
            straight.last.chain.epoch_start_ms + chain.genesis.parameters.epoch_ms);
    if (n.parent < 0) return;
    const auto* kept = tested->find(n.made.block->id);
    REQUIRE(kept != nullptr);
    REQUIRE(kept->changes == straight.last.changes);
    REQUIRE(kept->events == straight.last.events);
    REQUIRE(kept->outcomes == straight.last.outcomes);
    check_rows(*tested->rows_at(n.made.block->id), straight.rows);
  }

  /// Compares all rows, in the order of their keys.
  static void check_rows(const ledger::state_reader& found, const memory_state& wanted) {
    auto next = wanted.rows().begin();
    constexpr auto last_table = static_cast<unsigned>(ledger_table::list);
    for (unsigned table = 1; table <= last_table; ++table) {
      found.scan(bytes{static_cast<std::uint8_t>(table)}, [&](byte_view key, byte_view value) {
        REQUIRE(next != wanted.rows().end());
        REQUIRE(std::ranges::equal(next->first, key, {},
                                   [](char c) { return static_cast<std::uint8_t>(c); }));
        REQUIRE(std::ranges::equal(next->second, value));
        REQUIRE(found.find(row_key(key.begin(), key.end())) == next->second);
        ++next;
      });
    }
    REQUIRE(next == wanted.rows().end());
    REQUIRE_FALSE(found.find(bytes{2, 77}).has_value());
  }

  void commit_one() {
    const auto chosen = pick([&](const node& n) {
      return n.executed && n.parent >= 0 && static_cast<std::size_t>(n.parent) == base_;
    });
    if (chosen == SIZE_MAX) return;
    const auto& n = nodes_[chosen];
    const auto& straight = *n.made.after;
    const auto done = tested->commit(n.made.block->id);
    ledger->commit_block(n.made.block->block, done.changes, done.events);
    final_blocks.push_back(n.made.block);
    REQUIRE(done.changes == straight.last.changes);
    REQUIRE(tested->base() == n.made.block->id);
    REQUIRE(tested->chain() == straight.last.chain);
    REQUIRE(tested->tree().root() == straight.tree.root());
    check_rows(*tested->rows_at(tested->base()), straight.rows);
    base_ = chosen;
    forget_the_rest();
    if (d.chance(40)) tell_base();  // one message may stand for several commits
  }

  void forget_the_rest() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      auto& n = nodes_[i];
      if (i == base_ || n.gone) continue;
      const bool descends = n.parent >= 0 && (static_cast<std::size_t>(n.parent) == base_ ||
                                              (static_cast<std::size_t>(n.parent) > base_ &&
                                               !nodes_[static_cast<std::size_t>(n.parent)].gone));
      n.gone = !descends;
      if (n.gone) n.made.after.reset();
      REQUIRE((tested->find(n.made.block->id) != nullptr) == (n.executed && !n.gone));
      kept += n.executed && !n.gone;
    }
    REQUIRE(tested->live() == kept);
  }

  void tell_base() {
    const auto told = tested->router_for_base();
    if (!told) return;
    const bool taken = d.chance(90) && model_router.take(*told, *tested);
    tested->router_answered(told->ticket, taken);
  }

  scratch_directory directory_;
  std::vector<node> nodes_;
  std::size_t base_ = 0;
  std::deque<waiting> waiting_;
  std::uint64_t awaited_ = 0;  // the ticket of the latest message until it is answered
};

TEST_CASE(
    "blocks executed on forks in any order give the results of executing each chain in order") {
  std::size_t executed = 0, unknown = 0, gone = 0, draws = 0, failed = 0, deltas = 0;
  std::size_t finals = 0, models = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    trial t(seed);
    for (int step = 0; step < 400; ++step) {
      CAPTURE(step);
      t.step();
    }
    t.finish();
    executed += t.executed, unknown += t.unknown, gone += t.gone, draws += t.draws;
    failed += t.failed_draws, deltas += t.model_router.deltas, finals += t.final_blocks.size();
    models += t.model_router.models.size();

    // A tree that starts from the ledger has the same state.
    const execution_tree again(*t.ledger, t.chain.genesis);
    CHECK(again.base() == t.tested->base());
    CHECK(again.tree().root() == t.tested->tree().root());
    CHECK(again.chain() == t.tested->chain());
    // A replay of all blocks has the same state, too.
    replay::chain_replay replayed(t.chain.genesis, std::make_unique<replay::memory_rows>());
    for (const auto& block : t.final_blocks) REQUIRE(replayed.next(block->block).has_value());
    CHECK(replayed.root() == t.tested->tree().root());
  }
  // Every case that the test is about has occurred.
  MESSAGE(executed << " executions, " << finals << " final, " << unknown << " without a parent, "
                   << gone << " too late, " << draws << " with draws, " << failed
                   << " draws failed, " << deltas << " changes told, " << models << " models");
  CHECK(executed > 200);
  CHECK(finals > 100);
  CHECK(unknown > 20);
  CHECK(gone > 5);
  CHECK(draws > 50);
  CHECK(failed > 5);
  CHECK(deltas > 20);
  CHECK(models > 5);
}

consensus::execution_result result_of(execution_tree& tested, const block& content) {
  auto begun = tested.begin(std::make_shared<const identified_block>(
      identified_block{signing::id_of(content.header), content}));
  REQUIRE(begun.has_value());
  REQUIRE(std::holds_alternative<consensus::execution_result>(*begun));
  return std::get<consensus::execution_result>(*begun);
}

struct small_stage {
  small_stage() : ledger(directory.path()) {
    ledger.init(encode(chain.genesis), rules::genesis_rows(chain.genesis));
    tested = std::make_unique<execution_tree>(ledger, chain.genesis);
  }
  scratch_directory directory;
  forked_chain chain{3};
  tables::ledger_store ledger;
  std::unique_ptr<execution_tree> tested;

  /// An empty block. Siblings have different `twist`.
  [[nodiscard]] block on(const block_id& parent, std::uint64_t height, std::uint64_t twist) const {
    block made;
    made.header.chain = signing::chain_id_of(chain.genesis);
    made.header.parent = parent;
    made.header.height = {height};
    made.header.view = {height + twist};
    made.header.time_ms = chain.genesis.start_ms + height;
    return made;
  }
  block_id execute(const block& draft) {
    const auto result = result_of(*tested, draft);
    REQUIRE(result.follows);
    return signing::id_of(consensus::complete(draft.header, result));
  }
};

TEST_CASE("a block that cannot follow its parent is a result, and changes nothing") {
  small_stage s;
  const auto start = s.tested->base();
  const auto good = s.on(start, 1, 0);
  const std::vector<std::function<void(block&)>> lies{
      [](block& b) { b.header.height = {2}; },
      [](block& b) { b.header.height = {0}; },
      [](block& b) { b.header.time_ms -= 1; },
      [](block& b) { b.header.epoch = {1}; },
      [](block& b) { b.header.flags = block_is_filler; },
      [](block& b) { b.parent_signers.add({validator_count}); },
      [](block& b) { b.parent_signers.add({127}); },
      [](block& b) {
        b.payload.push_back({bytes(40), {}});
      },
      [](block& b) {
        b.payload.push_back({{}, {}});
      },
      [&](block& b) {
        transaction t;
        t.sender = key_of(0).public_half();
        t.kind = tx::transfer{};
        b.payload.push_back(signing::sign_transaction(key_of(0), t));
        b.payload.back().by_sender[5] ^= 1;
      },
      [](block& b) { b.payload.resize(max_block_transactions + 1); },
      [](block& b) { b.header.peel.value[0] = 1; },
      [](block& b) { b.header.proposer = {99}; },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    CAPTURE(i);
    auto lying = good;
    lies[i](lying);
    CHECK_FALSE(result_of(*s.tested, lying).follows);
    CHECK(s.tested->live() == 0);
  }
  CHECK(result_of(*s.tested, good).follows);
  CHECK(s.tested->live() == 1);
}

TEST_CASE("the claims of a header do not change the result of its execution") {
  small_stage s;
  auto content = s.on(s.tested->base(), 1, 0);
  const auto truth = result_of(*s.tested, content);
  content.header.state_root.value[4] ^= 1;
  content.header.flags = block_closes_epoch;
  const auto again = result_of(*s.tested, content);
  CHECK(again.root == truth.root);
  CHECK_FALSE(again.closes_epoch);
  CHECK(s.tested->live() == 1);
  CHECK(s.tested->find(signing::id_of(content.header)) == nullptr);
}

TEST_CASE(
    "no more than the limit is kept: idle leaves are dropped first, and a chain of that length is "
    "full") {
  small_stage s;
  const auto start = s.tested->base();
  const auto first = s.execute(s.on(start, 1, 0));
  const auto second = s.execute(s.on(first, 2, 0));
  std::vector<block_id> leaves;
  for (std::uint64_t i = 1; i <= 3 * execution_tree::max_live; ++i) {
    leaves.push_back(s.execute(s.on(start, 1, i)));
    REQUIRE(s.tested->live() <= execution_tree::max_live);
    if (i % 10 == 0) s.execute(s.on(first, 2, 0));  // this path is used from time to time
  }
  CHECK(s.tested->find(first) != nullptr);
  CHECK(s.tested->find(second) != nullptr);
  CHECK(s.tested->find(leaves.front()) == nullptr);
  CHECK(s.tested->find(leaves.back()) != nullptr);
  CHECK(s.execute(s.on(start, 1, 1)) == leaves.front());
  s.tested->keep_only(first);
  CHECK(s.tested->live() == 2);
  s.tested->keep_only(leaves.front());  // the tree does not keep this block any more
  CHECK(s.tested->live() == 2);

  auto tip = second;
  for (std::uint64_t height = 3; height <= execution_tree::max_live; ++height) {
    tip = s.execute(s.on(tip, height, 0));
  }
  REQUIRE(s.tested->live() == execution_tree::max_live);
  const auto further = s.on(tip, execution_tree::max_live + 1, 0);
  const auto full = s.tested->begin(std::make_shared<const identified_block>(
      identified_block{signing::id_of(further.header), further}));
  REQUIRE_FALSE(full.has_value());
  CHECK(full.error() == execution_trouble::no_room);
  CHECK(s.tested->find(tip) != nullptr);
}

}  // namespace
}  // namespace soma::test
