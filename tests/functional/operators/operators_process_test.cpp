// Four operators, each with a home, a blob store, a scorer and keys of its own, for ten epochs. One
// of them has no room for blobs, one lies about what it has, and one is halted again and again;
// people cheat through the others in eight ways with claims, and in two with models. What must
// hold: whoever is honest loses nothing, and whoever is not gains nothing.
#include <doctest/doctest.h>
#include <signal.h>

#include <regex>

#include "actors/blob_keeper/named_blobs.hpp"
#include "messages/codec/codec.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/crypto/random.hpp"
#include "messages/signing/signing.hpp"
#include "tests/functional/operators/availability_liar.hpp"
#include "tests/functional/operators/claimer.hpp"

using namespace soma;
using namespace soma::support;

namespace {

// The nodes. The first two have a quorum together; each of the others has less than a sixth.
constexpr std::size_t sound = 0, halted = 1, full = 2, liar = 3;
constexpr std::size_t never_started = 4;  // its ports serve the blob stores of the first two homes

// The accounts.
constexpr std::size_t backer = 0, first_owner = 1, second_owner = 2, third_owner = 3, copier = 4,
                      forger = 5, first_submitter = 6;

constexpr unsigned epoch_s = 12;
constexpr std::uint64_t last_claims_in = 9, last_epoch = 11;

/// Halts a node for a second, lets it go on for two, and so on.
class halts {
 public:
  halts(const validator_network& net, std::size_t node)
      : thread_([&net, node](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            net.send(node, SIGSTOP);
            std::this_thread::sleep_for(std::chrono::seconds(1));
            net.send(node, SIGCONT);
            std::this_thread::sleep_for(std::chrono::seconds(2));
          }
        }) {}

 private:
  std::jthread thread_;
};

class four_operators {
 public:
  four_operators() : net(options()) {
    const auto door = [&](const mesh::host_port& at) {
      return "listen = \"" + at.host + ":" + std::to_string(at.port) + "\"";
    };
    set_store(sound, door(blob_door(sound)));
    set_store(halted, door(blob_door(halted)));
    // Room for the weights of two models, and for nothing more.
    const auto size = std::filesystem::file_size(weights(1));
    set_store(full, "quota = \"" + std::to_string(2 * size + 1'024) + "\"");
    for (const auto node : {sound, halted, full}) net.start(node);
    REQUIRE(net.reaches(halted, 2));
    REQUIRE(net.reaches(sound, 2));
    ledger = std::make_shared<tables::ledger_store>(
        net.home(sound) / "ledger", tables::ledger_options{std::size_t{64} << 30U, true});
    for (std::size_t i = 0; i < net.accounts().size(); ++i) {
      REQUIRE(crypto::save_key(key_file(i), net.accounts()[i], std::nullopt));
    }
    write_text(net.folder() / "data.txt", std::string(5'000, 'x') + "the data that they know");
  }

  static validator_network_options options() {
    validator_network_options wanted;
    wanted.binary = SOMA_BINARY;
    wanted.validators = 4;
    wanted.followers = 1;
    wanted.accounts = first_submitter + conducts;
    wanted.account_soma = "300000";
    wanted.epoch_seconds = epoch_s;
    wanted.genesis_words = {"--stake", "100000", "--set", "initial_targets=12"};
    return wanted;
  }
  void set_store(std::size_t node, const std::string& line) const {
    write_text(net.config(node),
               std::regex_replace(read_text(net.config(node)), std::regex("\\[roles.blob_store\\]"),
                                  "[roles.blob_store]\n" + line));
  }
  [[nodiscard]] mesh::host_port blob_door(std::size_t node) const {
    return node == sound ? net.mesh(never_started) : net.door(never_started);
  }
  [[nodiscard]] std::filesystem::path key_file(std::size_t account) const {
    return net.folder() / ("account" + std::to_string(account) + ".pem");
  }
  [[nodiscard]] address member(std::size_t node) const {
    const auto key = crypto::load_key(net.home(node) / "validator.key", std::nullopt);
    return crypto::address_of(key.value().public_half());
  }
  [[nodiscard]] std::uint64_t epoch() const { return ledger->chain()->epoch.value; }

  /// Runs a verb of one operator to its end.
  void run(std::size_t node, std::vector<std::string> words) const {
    words.insert(words.begin(), SOMA_BINARY);
    words.insert(words.end(), {"--config", net.config(node).string()});
    const auto ended = run_program(net.folder().path(), words);
    REQUIRE_MESSAGE(ended.exit_code == 0, ended.err);
  }
  /// So that the first two have a quorum, without which nothing of this network would go on.
  void back_the_first_two() const {
    run(sound, {"stake", "add", "validator:" + member(sound).text(), "120000", "--from",
                key_file(backer).string()});
    run(sound, {"stake", "add", "validator:" + member(halted).text(), "100000", "--from",
                key_file(backer).string()});
  }
  [[nodiscard]] std::filesystem::path weights(unsigned seed) const {
    auto path = net.folder() / ("w" + std::to_string(seed) + ".safetensors");
    if (std::filesystem::exists(path)) return path;
    const auto made = run_program(net.folder().path(),
                                  {SOMA_BINARY, "model", "init", "-o", path.string(), "--arch",
                                   "2,16,2,32,32", "--seed", std::to_string(seed)});
    REQUIRE_MESSAGE(made.exit_code == 0, made.err);
    return path;
  }
  [[nodiscard]] std::unique_ptr<running_program> publish(std::size_t node, std::size_t owner,
                                                         unsigned seed) const {
    return std::make_unique<running_program>(
        net.folder().path(),
        std::vector<std::string>{
            SOMA_BINARY, "model", "publish", weights(seed).string(), "--data",
            (net.folder() / "data.txt").string(), "--stake", "50", "--from",
            key_file(owner).string(), "--config", net.config(node).string(), "--blobs",
            blob_door(node).host + ":" + std::to_string(blob_door(node).port)});
  }
  [[nodiscard]] operator_doors doors(caf::actor_system& system, std::size_t node) const {
    auto validator = cluster::connect_role<validator::validator_actor>(system, net.door(node));
    auto blobs = cluster::connect_role<blob_store::blob_store_actor>(system, blob_door(node));
    REQUIRE(validator);
    REQUIRE(blobs);
    return {*validator, *blobs};
  }
  /// The rows of the only model of an account.
  [[nodiscard]] std::pair<std::optional<model_row>, std::optional<model_version_row>> model_of(
      std::size_t account) const {
    const auto view = ledger->view();
    for (const auto& key : view.keys_from(ledger_table::model, {}, 100)) {
      const auto id = *id_in_key<model_id>(key);
      const auto row = view.model(id);
      if (row->owner == crypto::address_of(net.accounts()[account].public_half())) {
        return {row, view.model_version({id, row->latest_version})};
      }
    }
    return {};
  }
  [[nodiscard]] bool has(std::size_t account, version_status status) const {
    const auto version = model_of(account).second;
    return version && version->status == status;
  }
  [[nodiscard]] std::optional<std::uint64_t> size_of(const blob_id& blob) const {
    const auto named = blob_keeper::named_in(*ledger);
    const auto names = blob_keeper::names_of(named, blob);
    return names.empty() ? std::nullopt : std::optional(names.front().first.size_bytes);
  }

  validator_network net;
  std::shared_ptr<tables::ledger_store> ledger;
};

/// A model whose weights are not what its commitment says.
class forged_model {
 public:
  forged_model(const four_operators& all, claimer& people, const operator_doors& home)
      : all_(all), people_(people), home_(home) {
    const auto size = std::filesystem::file_size(all.weights(1));
    crypto::seeded_random random(77);
    bytes junk(size);
    random.fill(junk);
    REQUIRE(people.store(home, junk));
    content_.weights = random.next_id<weights_hash>();
    random.fill(content_.key);
    content_.embedding.assign(all.net.genesis().parameters.architecture.dim, 0.25f);
    content_.salt = random.next_id<hash256>();
    tx::commit_model commit;
    commit.commitment =
        signing::model_commitment(content_.weights, content_.key, content_.embedding, content_.salt,
                                  crypto::address_of(all.net.accounts()[forger].public_half()));
    commit.manifest = {size, 1U << 20U, crypto::blob_id_of(junk), {}};
    commit.stake = {50 * shannons_per_soma};
    commit.commission_bps = 1'000;
    const auto id = people.send(home, all.net.accounts()[forger], commit);
    REQUIRE(id);
    content_.model = signing::model_id_of(*id);
    committed_in_ = all.ledger->view().model_version({content_.model, 1})->committed_in;
  }
  /// Reveals it when it is time.
  void go_on() {
    if (is_revealed_ || all_.ledger->chain()->epoch <= committed_in_) return;
    is_revealed_ = people_.send(home_, all_.net.accounts()[forger], content_).has_value();
  }

 private:
  const four_operators& all_;
  claimer& people_;
  const operator_doors& home_;
  tx::reveal_model content_;
  epoch_number committed_in_;
  bool is_revealed_ = false;
};

/// What the blocks say about claims, models and validators.
struct told_events {
  std::map<target_id, std::vector<event>> of_target;
  std::map<model_id, std::uint64_t> slashed_models;
  std::size_t slashed_validators = 0;

  explicit told_events(const tables::ledger_store& ledger) {
    const auto view = ledger.view();
    for (std::uint64_t h = 1; h <= view.height().value; ++h) {
      for (const auto& item : view.events_at({h})) {
        of_target[item.target].push_back(item);
        if (item.kind == event_kind::model_slashed) slashed_models[item.model.model] += 1;
        if (item.kind == event_kind::validator_slashed) ++slashed_validators;
      }
    }
  }
  [[nodiscard]] bool has(const target_id& target, event_kind kind) const {
    const auto found = of_target.find(target);
    return found != of_target.end() &&
           std::ranges::any_of(found->second, [&](const event& e) { return e.kind == kind; });
  }
};

void check_claims(const four_operators& all, const std::vector<made_claim>& claims) {
  const told_events told(*all.ledger);
  std::map<conduct, std::size_t> made;
  std::map<conduct, std::size_t> settled;
  for (const auto& one : claims) {
    const auto row = all.ledger->view().target(one.target);
    const auto submission = all.ledger->view().submission(one.target);
    REQUIRE(row);
    REQUIRE(submission);
    std::string votes;
    for (const auto& vote : submission->votes) {
      votes += " " + vote.voter.short_text() + ":" + std::to_string(static_cast<int>(vote.verdict));
    }
    CAPTURE(to_text(one.how));
    CAPTURE(one.target.text());
    CAPTURE(static_cast<int>(row->status));
    CAPTURE(submission->claimed_in.value);
    CAPTURE(votes);
    ++made[one.how];
    const bool is_burned = told.has(one.target, event_kind::bond_burned);
    if (one.how == conduct::honest) {
      CHECK_FALSE(is_burned);
      CHECK(told.has(one.target, event_kind::bond_returned));
      for (const auto& vote : submission->votes) CHECK(vote.verdict == audit_verdict::ok);
      settled[one.how] += row->status == target_status::settled;
    } else {
      CHECK(is_burned);
      CHECK_FALSE(told.has(one.target, event_kind::submitter_paid));
      CHECK_FALSE(told.has(one.target, event_kind::bond_returned));
    }
  }
  CHECK(told.slashed_validators == 0);
  for (std::size_t i = 0; i < conducts; ++i) {
    const auto how = static_cast<conduct>(i);
    MESSAGE(std::string(to_text(how)) << ": " << made[how] << " claims");
    CHECK_MESSAGE(made[how] > 0, to_text(how));
  }
  CHECK(settled[conduct::honest] * 4 >= made[conduct::honest] * 3);
}

void check_models(const four_operators& all) {
  const told_events told(*all.ledger);
  for (const auto owner : {first_owner, second_owner, third_owner}) {
    CAPTURE(owner);
    const auto [model, version] = all.model_of(owner);
    REQUIRE(version);
    CHECK(version->status == version_status::active);
    for (const auto& vote : version->votes) CHECK(vote.verdict == model_verdict::good);
    CHECK(model->pool.stake.value >= 50 * shannons_per_soma);
  }
  CHECK(told.slashed_models.size() == 1);
  CHECK(all.has(forger, version_status::bad));
  CHECK(all.has(copier, version_status::dropped));
  CHECK(all.model_of(forger).first->pool.stake.value < 3 * shannons_per_soma);
  // Whoever comes second may be the author, so a copy is dropped and nothing more.
  CHECK(all.model_of(copier).first->status == model_status::inactive);
  CHECK(all.model_of(copier).first->pool.stake.value == 50 * shannons_per_soma);
}

}  // namespace

TEST_CASE("ten epochs of four operators, of whom three fail: no honest bond is lost, no lie paid") {
  four_operators all;
  auto& net = all.net;
  all.back_the_first_two();
  const availability_liar lying(net, liar, [&](const blob_id& blob) { return all.size_of(blob); });
  std::vector<std::unique_ptr<running_program>> publishers;
  publishers.push_back(all.publish(sound, first_owner, 1));
  publishers.push_back(all.publish(halted, second_owner, 2));
  std::optional<halts> halting(std::in_place, net, halted);

  cluster_process process(net.client());
  auto& system = process.system;
  claimer people(system, net, all.ledger);
  for (const unsigned seed : {1, 2, 3}) {
    people.knows(weights::read_weights(all.weights(seed)).value());
  }
  const std::array homes{all.doors(system, sound), all.doors(system, halted)};
  REQUIRE_MESSAGE(comes_true([&] {
                    return all.has(first_owner, version_status::active) &&
                           all.has(second_owner, version_status::active);
                  }),
                  "epoch " << all.epoch() << "\n"
                           << publishers[0]->err() << publishers[1]->err() << net.said(sound)
                           << net.said(halted) << net.said(full));

  // From here on all of them are at work at once.
  forged_model forged(all, people, homes[0]);
  publishers.push_back(all.publish(halted, third_owner, 3));
  publishers.push_back(all.publish(sound, copier, 1));
  std::vector<made_claim> claims;
  for (std::size_t turn = 0; all.epoch() < last_claims_in; ++turn) {
    forged.go_on();
    // Every other claim is honest, the others cheat in turn.
    const auto how =
        turn % 2 == 0 ? conduct::honest : static_cast<conduct>(1 + turn / 2 % (conducts - 1));
    const auto& who = net.accounts()[first_submitter + static_cast<std::size_t>(how)];
    if (auto made = people.claim(how, who, homes[turn / 2 % 2])) claims.push_back(*made);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  REQUIRE(comes_true([&] { return all.epoch() >= last_epoch; }));
  CHECK(comes_true([&] {
    const auto view = all.ledger->view();
    return std::ranges::all_of(claims, [&](const made_claim& one) {
      const auto row = view.target(one.target);
      return row->status != target_status::filled && row->status != target_status::revealed;
    });
  }));
  halting.reset();

  for (std::size_t i = 0; i < publishers.size(); ++i) {
    const auto ended = publishers[i]->wait();
    CHECK_MESSAGE(ended.exit_code == (i < 3 ? 0 : 1), ended.err);
  }
  check_claims(all, claims);
  check_models(all);
  const auto& lies = lying.lies();
  MESSAGE("the liar said that it had " << lies.said.load() << " blobs; it was silent "
                                       << lies.silent.load() << " times, gave nothing "
                                       << lies.empty.load() << " times and garbage "
                                       << lies.garbage.load() << " times");
  CHECK(lies.silent.load() > 0);
  CHECK(lies.empty.load() > 0);
  CHECK(lies.garbage.load() > 0);
  CHECK_MESSAGE(net.said(full).find("cannot be kept") != std::string::npos, net.said(full));
  for (const auto node : {sound, halted, full}) {
    CHECK(comes_true([&] { return net.signing_state(node) == "member"; }));
  }
  for (const auto node : {sound, halted, full}) CHECK(net.stop(node));
  CHECK(net.fork().empty());
}
