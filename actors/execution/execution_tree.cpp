#include "actors/execution/execution_tree.hpp"

#include <algorithm>
#include <set>

#include "actors/execution/ledger_position.hpp"
#include "actors/ledger/queries.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"

namespace soma::execution {
namespace {

bool begins_with(byte_view key, byte_view prefix) {
  return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}
bool comes_before(byte_view a, byte_view b) {
  return std::ranges::lexicographical_compare(a, b);
}

struct bytewise {
  bool operator()(byte_view a, byte_view b) const { return comes_before(a, b); }
};

/// The first change whose key is not below this one; changes ascend by key.
auto first_from(const std::vector<row_change>& changes, byte_view key) {
  return std::ranges::lower_bound(changes, key, comes_before,
                                  [](const row_change& c) { return byte_view(c.key); });
}

/// The last change of each model.
std::vector<rules::registry_change> last_of_each(std::vector<rules::registry_change> changes) {
  std::map<model_id, rules::registry_change> last;
  for (auto& change : changes) last.insert_or_assign(change.version.model, std::move(change));
  std::vector<rules::registry_change> all;
  for (auto& [model, change] : last) all.push_back(std::move(change));
  return all;
}

state_tree::tree tree_of(const tables::ledger_view& view) {
  state_tree::tree::builder rows;
  view.scan([&](byte_view row, byte_view value) {
    rows.add(row, value);
    return true;
  });
  return std::move(rows).finish();
}

void append(std::vector<rules::registry_change>& to,
            const std::vector<rules::registry_change>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

std::string_view to_text(execution_trouble why) {
  switch (why) {
    case execution_trouble::unknown_parent:
      return "its parent has not been executed here";
    case execution_trouble::no_room:
      return "too many blocks wait to become final";
    case execution_trouble::parent_gone:
      return "another block became final meanwhile";
    case execution_trouble::bad_draws:
      return "the targets drawn do not fit";
  }
  return "unknown";
}

/// The rows after a branch of kept executions: their changes on top of one snapshot of the ledger.
class execution_tree::branch_rows final : public ledger::state_reader {
 public:
  branch_rows(const tables::ledger_store& ledger, block_height stands_at, branch above)
      : view_(ledger.view()), above_(std::move(above)) {
    SOMA_ASSERT(view_.height() == stands_at, "the ledger stands where its executions begin");
  }

  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override {
    for (auto link = above_.rbegin(); link != above_.rend(); ++link) {
      const auto& changes = (*link)->result.changes;
      const auto at = first_from(changes, key);
      if (at != changes.end() && at->key == key) return at->value;
    }
    return view_.find_row(key);
  }

  void scan(byte_view prefix,
            const std::function<void(byte_view, byte_view)>& visit) const override {
    std::map<byte_view, const std::optional<bytes>*, bytewise> changed;
    // The latest change of a row counts.
    for (auto link = above_.rbegin(); link != above_.rend(); ++link) {
      const auto& changes = (*link)->result.changes;
      for (auto at = first_from(changes, prefix);
           at != changes.end() && begins_with(at->key, prefix); ++at) {
        changed.emplace(at->key, &at->value);
      }
    }
    auto next = changed.begin();
    const auto show_changed = [&] {
      if (*next->second) visit(next->first, **next->second);
      ++next;
    };
    view_.scan_prefix(prefix, [&](byte_view key, byte_view value) {
      while (next != changed.end() && comes_before(next->first, key)) show_changed();
      if (next != changed.end() && std::ranges::equal(next->first, key)) {
        show_changed();
      } else {
        visit(key, value);
      }
      return true;
    });
    while (next != changed.end()) show_changed();
  }

 private:
  tables::ledger_view view_;
  branch above_;
};

execution_tree::execution_tree(const tables::ledger_store& ledger, const soma::genesis& genesis,
                               std::optional<state_tree::tree> tree)
    : ledger_(ledger), genesis_(genesis) {
  const auto view = ledger_.view();
  const bool fits = tree && tree->root() == last_state_root_of(view);
  tree_ = fits ? std::move(*tree) : tree_of(view);
  chain_ = view.chain().value();
  base_ = last_block_of(view, genesis_);
  active_ = std::make_shared<const rules::active_models>(branch_rows(ledger_, chain_.height, {}));
}

execution_tree::~execution_tree() = default;

std::optional<execution_tree::branch> execution_tree::branch_to(const block_id& id) const {
  branch below;
  for (auto at = id; at != base_;) {
    const auto found = live_.find(at);
    if (found == live_.end()) return std::nullopt;
    below.push_back(&found->second);
    at = found->second.parent;
  }
  std::ranges::reverse(below);
  return below;
}

std::optional<rules::block_input> execution_tree::input_of(const block& candidate,
                                                           const chain_row& parent,
                                                           const ledger::state_reader& rows) {
  const auto& header = candidate.header;
  if (header.epoch != parent.epoch || (header.flags & block_is_filler) != 0) return std::nullopt;
  rules::block_input input;
  input.height = header.height;
  input.time_ms = header.time_ms;
  input.parent = header.parent;
  const auto seats = ledger::read_committee(rows).seats;
  if (header.proposer.value >= seats.size()) return std::nullopt;
  input.proposer = seats[header.proposer.value].consensus_key;
  input.peel = header.peel;
  if (!candidate.parent_signers.empty()) {
    for (const auto seat : candidate.parent_signers.members()) {
      if (seat.value >= seats.size()) return std::nullopt;
      input.signers.push_back(seats[seat.value].member);
    }
  }
  for (const auto& sent : candidate.payload) {
    input.transactions.push_back(transactions_.read(sent));
    if (input.transactions.back().known) return std::nullopt;
  }
  if (rules::check_block(input, parent, rows)) return std::nullopt;
  return input;
}

expected<execution_tree::started, execution_trouble> execution_tree::begin(
    const block_ptr& candidate) {
  const auto& header = candidate->block.header;
  if (const auto known = live_.find(candidate->id); known != live_.end()) {
    known->second.used = ++uses_;
    return known->second.told;
  }
  const auto below = branch_to(header.parent);
  if (!below) return make_unexpected(execution_trouble::unknown_parent);
  if (const auto parent = live_.find(header.parent); parent != live_.end()) {
    parent->second.used = ++uses_;
  }
  const auto& parent = chain_of(*below);
  const branch_rows rows(ledger_, chain_.height, *below);
  const auto input = input_of(candidate->block, parent, rows);
  if (!input) return consensus::execution_result{};
  const auto& active = below->empty() ? *active_ : *below->back()->active;
  auto begun = rules::begin_block(*input, rows, active, genesis_);
  const bool registry_moves = begun.registry_version() != parent.registry_version;
  const auto mark = registry_moves ? ++last_mark_ : mark_of(*below);
  if (!begun.draws().empty()) return pending_execution(candidate, std::move(begun), mark);
  auto done = keep(candidate->block, *below, rules::finish(std::move(begun), {}), mark);
  if (!done) return make_unexpected(done.error());
  return *done;
}

expected<consensus::execution_result, execution_trouble> execution_tree::finish(
    pending_execution&& begun, const rules::drawn_targets& drawn) {
  if (rules::check_draws(begun.begun_, drawn)) {
    return make_unexpected(execution_trouble::bad_draws);
  }
  const auto& candidate = begun.candidate_->block;
  const auto below = branch_to(candidate.header.parent);
  if (!below) return make_unexpected(execution_trouble::parent_gone);
  return keep(candidate, *below, rules::finish(std::move(begun.begun_), drawn), begun.mark_);
}

expected<consensus::execution_result, execution_trouble> execution_tree::keep(
    const block& candidate, const branch& below, rules::effects&& result, registry_mark mark) {
  std::vector<const state_tree::tree::prepared*> trees;
  for (const auto* link : below) trees.push_back(&link->tree);
  kept made;
  made.parent = candidate.header.parent;
  made.tree = tree_.prepare(result.changes, trees);
  made.mark = mark;
  made.used = ++uses_;
  auto& told = made.told;
  told.follows = true;
  told.root = made.tree.root;
  told.closes_epoch = result.epoch_closed;
  told.epoch_end_ms = result.chain.epoch_start_ms + genesis_.parameters.epoch_ms;
  if (result.epoch_closed) told.next_committee = result.next_committee;
  told.peel = candidate.header.peel;
  told.entropy = result.chain.entropy;
  const auto id = signing::id_of(consensus::complete(candidate.header, told));
  if (const auto known = live_.find(id); known != live_.end()) {
    known->second.used = made.used;
    return known->second.told;
  }
  if (!make_room(made.parent)) return make_unexpected(execution_trouble::no_room);
  made.active = below.empty() ? active_ : below.back()->active;
  const auto is_model = [](const row_change& c) { return table_of(c.key) == ledger_table::model; };
  if (std::ranges::any_of(result.changes, is_model)) {
    auto next = *made.active;
    next.apply(result.changes);
    made.active = std::make_shared<const rules::active_models>(std::move(next));
  }
  made.result = std::move(result);
  return live_.emplace(id, std::move(made)).first->second.told;
}

/// Drops the leaf that was used longest ago, but never `parent`, on which the next block stands.
bool execution_tree::make_room(const block_id& parent) {
  if (live_.size() < max_live) return true;
  std::set<block_id> needed{parent};
  for (const auto& [id, one] : live_) needed.insert(one.parent);
  auto oldest = live_.end();
  for (auto at = live_.begin(); at != live_.end(); ++at) {
    if (needed.contains(at->first)) continue;
    if (oldest == live_.end() || at->second.used < oldest->second.used) oldest = at;
  }
  if (oldest == live_.end()) return false;
  live_.erase(oldest);
  return true;
}

const rules::effects* execution_tree::find(const block_id& id) const {
  const auto found = live_.find(id);
  return found == live_.end() ? nullptr : &found->second.result;
}

rules::effects execution_tree::commit(const block_id& id) {
  auto found = live_.extract(id);
  SOMA_ASSERT(!found.empty() && found.mapped().parent == base_,
              "what becomes final was executed on the last committed block");
  auto& made = found.mapped();
  tree_.apply(std::move(made.tree));
  active_ = std::move(made.active);
  chain_ = made.result.chain;
  base_ = id;
  if (made.mark != base_mark_) {
    router_lags_ = router_mark_ && (router_lags_ || *router_mark_ == base_mark_);
    if (router_lags_) append(committed_since_, made.result.registry);
    base_mark_ = made.mark;
  }
  const auto hangs_loose = [&](const auto& one) {
    return one.second.parent != base_ && !live_.contains(one.second.parent);
  };
  while (std::erase_if(live_, hangs_loose) > 0) {
  }
  return std::move(made.result);
}

void execution_tree::keep_only(const block_id& id) {
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  const auto ancestors = branch_to(id).value();
  std::set<block_id> keep{id};
  for (const auto& [one, made] : live_) {
    if (std::ranges::find(ancestors, &made) != ancestors.end()) keep.insert(one);
    const auto below = branch_to(one).value();
    if (std::ranges::find(below, &found->second) != below.end()) keep.insert(one);
  }
  std::erase_if(live_, [&](const auto& one) { return !keep.contains(one.first); });
}

std::unique_ptr<ledger::state_reader> execution_tree::rows_at(const block_id& id) const {
  auto below = branch_to(id);
  if (!below) return nullptr;
  return std::make_unique<branch_rows>(ledger_, chain_.height, std::move(*below));
}

// ---- updates of the router

router_update execution_tree::make_router_update(const branch& below, const block_id& rows,
                                                 const std::vector<rules::registry_change>& more,
                                                 std::uint64_t version, registry_mark mark) {
  router_update update;
  update.rows = rows;
  update.from = router_version_;
  update.to = version;
  update.snapshot = true;
  // Changes alone may be sent only if the router is known to hold the state after a block of this
  // branch.
  if (router_mark_ && !router_asked_) {
    auto known = below.size() + 1;  // links that it holds; one more: none of this branch
    for (auto i = below.size(); i > 0 && known > below.size(); --i) {
      if (below[i - 1]->mark == *router_mark_) known = i;
    }
    if (known > below.size() && (*router_mark_ == base_mark_ || router_lags_)) {
      update.changes = committed_since_;
      known = 0;
    }
    update.snapshot = known > below.size();
    for (auto i = known; i < below.size(); ++i) append(update.changes, below[i]->result.registry);
  }
  append(update.changes, more);
  update.changes = last_of_each(std::move(update.changes));
  update.ticket = ++router_ticket_;
  router_asked_ = true;
  router_mark_ = mark;
  router_version_ = version;
  router_lags_ = false;
  committed_since_.clear();
  return update;
}

router_update execution_tree::router_for(const pending_execution& begun) {
  const auto& parent = begun.candidate_->block.header.parent;
  const auto below = branch_to(parent);
  SOMA_ASSERT(below.has_value(), "draws are asked for at once");
  return make_router_update(*below, parent, begun.begun_.registry(),
                            begun.begun_.registry_version(), begun.mark_);
}

std::optional<router_update> execution_tree::router_for_base() {
  if (router_asked_ || router_mark_ == base_mark_) return std::nullopt;
  const auto knows_of = [&](const auto& one) { return one.second.mark == router_mark_; };
  if (std::ranges::any_of(live_, knows_of)) return std::nullopt;
  return make_router_update({}, base_, {}, chain_.registry_version, base_mark_);
}

void execution_tree::router_answered(std::uint64_t ticket, bool taken) {
  if (ticket != router_ticket_) return;
  router_asked_ = false;
  if (!taken) router_mark_.reset();
}

}  // namespace soma::execution
