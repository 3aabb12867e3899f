// Random worlds: people who do all that the protocol allows and much that it does not, over several
// epochs. Everything comes from one seed; paste it back to replay.
#include <doctest/doctest.h>

#include "tests/actors/rules/network.hpp"

namespace soma::test {
namespace {

class chaos {
 public:
  explicit chaos(std::uint64_t seed) : dice_{seed}, net_(make_genesis(seed)) {}

  void run(std::size_t blocks) {
    for (std::size_t i = 0; i < blocks; ++i) {
      const auto count = dice_.below(12);
      for (std::uint64_t t = 0; t < count; ++t) act();
      for (std::size_t k = net_.queue.size(); k > 1 && dice_.chance(20); --k) {
        std::swap(net_.queue[k - 1], net_.queue[dice_.below(k)]);
      }
      if (!net_.queue.empty() && dice_.chance(20))
        net_.queue.push_back(net_.queue[dice_.below(net_.queue.size())]);
      if (dice_.chance(10) && !sent_.empty())
        net_.queue.push_back(sent_[dice_.below(sent_.size())]);
      sent_.insert(sent_.end(), net_.queue.begin(), net_.queue.end());
      check_and_run(dice_.chance(15) ? net_.born.parameters.epoch_ms : 1 + dice_.below(50));
    }
  }
  [[nodiscard]] const network& net() const { return net_; }
  std::map<target_status, std::size_t> ends;
  std::map<std::uint16_t, std::size_t> refusals;

 private:
  static genesis make_genesis(std::uint64_t seed) {
    dice d{seed ^ 0x5eed};
    std::vector<person> people;
    for (std::uint64_t i = 0; i < 5; ++i) people.push_back(somebody(i));
    auto born = small_genesis(1 + d.below(5), people);
    born.accounts[4].balance = {d.below(20'000)};
    born.parameters.reveal_window_blocks = 1 + d.below(12);
    born.parameters.emission_epochs = 1 + d.below(20);
    born.parameters.hits_wanted = 1 + d.below(12);
    born.parameters.fee_multiplier_max_ppm = 2'000'000;
    return born;
  }

  person anyone() {
    return dice_.chance(20) ? validator_person(900 + dice_.below(6)) : somebody(dice_.below(6));
  }

  void act() {
    switch (dice_.below(9)) {
      case 0:
        net_.send(anyone(), tx::transfer{anyone().where(), {amount()}});
        break;
      case 1:
        commit();
        break;
      case 2:
        reveal_some_model();
        break;
      case 3:
      case 4:
        claim();
        break;
      case 5:
        reveal_some_data();
        break;
      case 6:
      case 7:
        vote();
        break;
      case 8:
        oddity();
        break;
    }
  }
  std::uint64_t amount() {
    return dice_.chance(10) ? dice_.next() : dice_.below(5 * shannons_per_soma);
  }

  void commit() {
    auto plan = network::plan(dice_.below(1'000));
    if (dice_.chance(5)) plan.embedding[0] = 3e38f;
    const auto who = somebody(dice_.below(4));
    if (!plans_.empty() && dice_.chance(30)) {
      plan.id = plans_[dice_.below(plans_.size())].second.id;
      net_.send(who, network::commit_of(plan, plan.id, amount()));
    } else {
      net_.commit(who, plan, shannons_per_soma + amount() % shannons_per_soma);
    }
    plans_.emplace_back(who, plan);
  }
  void reveal_some_model() {
    for (const auto& [who, plan] : plans_) {
      if (dice_.chance(60)) net_.send(dice_.chance(95) ? who : anyone(), network::reveal_of(plan));
    }
  }
  void claim() {
    const auto open = net_.open_targets();
    if (open.empty()) return;
    const auto who = somebody(dice_.below(5));
    auto s = submission_for(open[dice_.below(open.size())], who, dice_.below(300));
    if (dice_.chance(10)) s.claim.distance_q30 = static_cast<std::uint32_t>(dice_.next());
    if (dice_.chance(5)) s.claim.loss_bits = static_cast<std::uint32_t>(dice_.next());
    if (dice_.chance(5)) s.claim.size_bytes = dice_.next() >> dice_.below(64);
    net_.send(who, s.claim);
    claims_.emplace_back(who, s);
  }
  void reveal_some_data() {
    for (const auto& [who, s] : claims_) {
      if (dice_.chance(40)) net_.send(dice_.chance(95) ? who : anyone(), s.reveal);
    }
    if (claims_.size() > 20) claims_.erase(claims_.begin(), claims_.begin() + 10);
  }
  void vote() {
    if (claims_.empty()) return;
    const auto& target = claims_[dice_.below(claims_.size())].second.claim.target;
    const auto verdict =
        dice_.chance(65) ? audit_verdict::ok : static_cast<audit_verdict>(dice_.below(6));
    net_.send(validator_person(900 + dice_.below(6)), tx::vote_on_submission{target, verdict});
  }
  void oddity() {
    if (dice_.chance(40) || plans_.empty()) {
      net_.send(anyone(), tx::add_stake{anyone().where(), {amount()}});
    } else if (dice_.chance(30)) {
      net_.send(somebody(dice_.below(4)),
                tx::retire_model{plans_[dice_.below(plans_.size())].second.id});
    } else {
      const model_version_ref version{plans_[dice_.below(plans_.size())].second.id, 1};
      const auto verdict = dice_.chance(70) ? model_verdict::good : model_verdict::malformed;
      net_.send(validator_person(900 + dice_.below(6)), tx::vote_on_model{version, verdict});
    }
  }

  /// The network's own block checks the supply; here: the same block on the same state is the same
  /// bytes, also when scans run backwards.
  void check_and_run(std::uint64_t step_ms) {
    if (net_.queue.size() > 600) net_.queue.resize(600);
    const auto input = net_.next_input(step_ms);
    auto turned = net_.state;
    turned.backwards = true;
    const auto other = network::execute(input, turned, net_.active, net_.born);
    const auto& done = net_.block(step_ms);
    REQUIRE(other.changes == done.changes);
    REQUIRE(other.events == done.events);
    REQUIRE(other.outcomes == done.outcomes);
    for (const auto& outcome : done.outcomes) {
      if (outcome.reason) ++refusals[static_cast<std::uint16_t>(*outcome.reason)];
    }
    for (const auto& e : done.events) {
      if (e.kind == event_kind::target_settled) ++ends[target_status::settled];
      if (e.kind == event_kind::target_slashed || e.kind == event_kind::reveal_missed)
        ++ends[target_status::slashed];
      if (e.kind == event_kind::target_expired) ++ends[target_status::expired];
    }
  }

  dice dice_;
  network net_;
  std::vector<std::pair<person, model_plan>> plans_;
  std::vector<std::pair<person, honest_submission>> claims_;
  std::vector<rules::block_transaction> sent_;
};

TEST_CASE("a shannon is never lost: random transactions keep the supply whole and replicas equal") {
  std::map<target_status, std::size_t> ends;
  std::map<std::uint16_t, std::size_t> refusals;
  std::size_t epochs = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    chaos world(seed);
    world.run(60);
    epochs += world.net().chain_now().epoch.value;
    for (const auto& [end, count] : world.ends) ends[end] += count;
    for (const auto& [reason, count] : world.refusals) refusals[reason] += count;
    // Rebuilt from its rows in another order, the tree has the same root.
    std::vector<row_change> rows;
    for (const auto& [key, value] : world.net().state.rows())
      rows.push_back({row_key(key.begin(), key.end()), value});
    std::reverse(rows.begin(), rows.end());
    rules::state_tree rebuilt;
    REQUIRE(rebuilt.apply(rows) == world.net().tree.root());
  }
  // A world in which nothing happens proves nothing.
  CHECK(epochs > 200);
  CHECK(ends[target_status::settled] > 20);
  CHECK(ends[target_status::slashed] > 20);
  CHECK(ends[target_status::expired] > 100);
  CHECK(refusals.size() >= 20);
}

TEST_CASE(
    "a refused transaction leaves all rows but its sender's and the chain's as the block without "
    "it does") {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    CAPTURE(seed);
    chaos world(seed);
    world.run(40);
    const auto& net = world.net();
    const auto who = somebody(0);
    const auto account = *rules::read_account(net.state, who.where());
    auto with = net.next_input(5);
    with.transactions.clear();
    auto without = with;
    const auto open = net.open_targets();
    const auto target = open.empty() ? id_from<target_id>(1) : open[0].id;
    const transaction t{
        net.chain, who.key, account.nonce, {1'000}, tx::reveal_data{target, {}, {}, {}}};
    with.transactions.push_back({id_from<transaction_id>(seed), t, 300, std::nullopt});
    const auto a = network::execute(with, net.state, net.active, net.born);
    const auto b = network::execute(without, net.state, net.active, net.born);
    REQUIRE(a.outcomes[0].reason.has_value());
    auto first = net.state;
    auto second = net.state;
    first.apply(a.changes);
    second.apply(b.changes);
    const auto mine = account_key(who.where());
    for (const auto& [key, value] : first.rows()) {
      if (key == std::string(mine.begin(), mine.end()) || key[0] == 1) continue;
      CHECK(second.rows().at(key) == value);
    }
    const auto after = *rules::read_account(first, who.where());
    CHECK(after.nonce == account.nonce + 1);
    CHECK(after.balance.value == account.balance.value - a.outcomes[0].fee.value);
  }
}

}  // namespace
}  // namespace soma::test
