#include "actors/localnet/localnet.hpp"

#include <algorithm>
#include <bit>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/execution/ledger_reader.hpp"
#include "actors/ledger/queries.hpp"
#include "actors/localnet/block_counter.hpp"
#include "actors/localnet/localnet_data.hpp"
#include "actors/localnet/localnet_genesis.hpp"
#include "actors/localnet/localnet_measure.hpp"
#include "actors/localnet/misconduct.hpp"
#include "actors/localnet/world.hpp"
#include "actors/localnet/world_committee.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/scorer/scorer_pool.hpp"
#include "messages/crypto/hash.hpp"

namespace soma::localnet {
namespace {

constexpr std::uint32_t block_ms = 500;
constexpr std::size_t mixed_bytes = 32'768;

class localnet {
 public:
  explicit localnet(const localnet_options& options)
      : options_(options),
        world_(options.threads, options.start_ms.value_or(localnet_start_ms)),
        counts_(std::make_shared<block_counts>()) {}

  expected<localnet_report, std::string> run() {
    prepare_data();
    participants_ = participants_of(options_);
    const auto genesis = make_genesis();
    if (auto spawned = spawn_roles(genesis); !spawned) return make_unexpected(spawned.error());
    spawn_trainers();
    if (auto published = publish(); !published) return make_unexpected(published.error());
    spawn_submitters();
    const auto reason = drive([this] { return counts_->epochs_ended >= options_.epochs; });
    if (!world_.fault().empty()) return make_unexpected(world_.fault());
    if (!committee_->agree()) return make_unexpected(std::string("the validators disagree"));
    if (reason == world::stop_reason::stalled || reason == world::stop_reason::out_of_time) {
      return make_unexpected(std::string("the network came to a halt before its last epoch"));
    }
    auto out = report(reason == world::stop_reason::interrupted);
    if (!world_.fault().empty()) return make_unexpected(world_.fault());
    return out;
  }

 private:
  // ---- data and genesis

  void prepare_data() {
    std::filesystem::create_directories(options_.directory / "data");
    for (const auto& source : options_.sources) {
      data_.push_back(split(source));
      write_file(held_out_path(data_.size() - 1), data_.back().held_out);
    }
    std::vector<bytes> held_out;
    for (const auto& part : data_) held_out.push_back(part.held_out);
    mixed_ = interleave(held_out, mixed_bytes, seed_of(options_.seed, "mixed"));
    write_file(options_.directory / "data" / "mixed.bin", mixed_);
  }

  [[nodiscard]] std::filesystem::path held_out_path(std::size_t source) const {
    return options_.directory / "data" / ("held-out-" + std::to_string(source + 1) + ".bin");
  }

  soma::genesis make_genesis() {
    auto genesis = genesis_of(options_);
    chain_ = signing::chain_id_of(genesis);
    options_.piece_bytes = piece_within_limit(options_, genesis.parameters);
    return genesis;
  }

  [[nodiscard]] crypto::key_pair owner_key(std::size_t model) const {
    return key_of(options_.seed, "owner", model);
  }
  [[nodiscard]] crypto::key_pair validator_key(std::size_t number) const {
    return soma::localnet::validator_key(options_.seed, number);
  }

  // ---- roles

  template <class Handle>
  void watch(const std::string& name, const Handle& role) {
    world_.watch(name, caf::actor_cast<caf::actor>(role));
  }

  /// Its workers read the store of this validator.
  scorer::scorer_actor new_scorer(unsigned workers, std::size_t validator) {
    std::vector<scorer::scorer_worker_actor> list;
    for (unsigned i = 0; i < workers; ++i) {
      scorer::scorer_worker_ports ports{blobs_[validator], world_.new_background(),
                                        options_.new_engines()};
      list.push_back(world_.system().spawn(scorer::scorer_worker, ports));
      watch("a scorer", list.back());
    }
    auto pool = world_.system().spawn(scorer::scorer_pool, list, scorer::scorer_pool_limits{});
    watch("a scorer", pool);
    return pool;
  }

  expected<void, std::string> spawn_roles(const soma::genesis& genesis) {
    for (std::size_t i = 0; i < options_.validators; ++i) {
      const auto name = i == 0 ? std::string("blobs") : "blobs-" + std::to_string(i + 1);
      blobs::blob_options storing;
      storing.now_ms = [this] { return world_.now_ms(); };
      disks_.push_back(
          std::make_shared<blobs::blob_store>(options_.directory / name, std::move(storing)));
      blobs_.push_back(world_.system().spawn(blob_store::blob_store_role,
                                             blob_store::blob_store_ports{disks_.back()}));
    }
    committee_plan plan;
    plan.directory = options_.directory;
    for (std::size_t i = 0; i < options_.validators; ++i) plan.keys.push_back(validator_key(i));
    plan.genesis = genesis;
    plan.pace.block_ms = block_ms;
    plan.seed = seed_of(options_.seed, "network");
    plan.ledger_map_bytes = std::size_t{8} << 30;
    plan.new_scorer = [this](std::size_t number) { return new_scorer(2, number); };
    plan.blobs_of = [this](std::size_t number) { return disks_[number]; };
    plan.new_watchers = [this](std::size_t number) {
      std::vector<validator::block_watcher_actor> watchers;
      if (number == 0) watchers.push_back(world_.system().spawn(block_counter, counts_));
      return watchers;
    };
    // What a validator tells its operator here is always a fault: no one attacks this committee.
    plan.notify_operator = [this](std::size_t number, const std::string& line) {
      world_.note_fault("validator-" + std::to_string(number + 1) + ": " + line);
    };
    auto begun = world_committee::begin(world_, std::move(plan));
    if (!begun) return make_unexpected(begun.error());
    committee_ = std::move(*begun);
    for (std::size_t i = 0; i < committee_->size(); ++i) {
      const auto name = "validator-" + std::to_string(i + 1);
      watch(name, committee_->at(i).validator);
      watch("the registry of " + name, committee_->at(i).registry);
      watch("the router of " + name, committee_->at(i).router);
      watch("the target generator of " + name, committee_->at(i).generator);
    }
    return {};
  }

  /// The validator of a participant: participants are spread over the validators in turn.
  [[nodiscard]] const world_committee::member& validator_for(std::size_t number) const {
    return committee_->at(number % committee_->size());
  }
  [[nodiscard]] const blob_store::blob_store_actor& blobs_for(std::size_t number) const {
    return blobs_[number % committee_->size()];
  }

  void spawn_trainers() {
    for (std::size_t i = 0; i < options_.sources.size(); ++i) {
      const auto seed = seed_of(options_.seed, "model", i);
      trainer::trainer_ports ports{world_.clock(), validator_for(i).validator, blobs_for(i),
                                   world_.new_background(), [this, i, seed] {
                                     auto trained = options_.train(i, data_[i].training, seed);
                                     keep_weights(i, trained.weights_file);
                                     return trained;
                                   }};
      trainer::trainer_options settings;
      settings.name = options_.sources[i].name;
      trainers_.push_back(ports.progress);
      trainer::trainer_means means{wallet::wallet(owner_key(i), chain_),
                                   seed_of(options_.seed, "trainer", i)};
      const auto role = world_.system().spawn(trainer::trainer, ports, settings, std::move(means));
      watch("the trainer of " + settings.name, role);
      caf::anon_send(role, message<schema::Train>{});
    }
  }

  void keep_weights(std::size_t model, byte_view file) const {
    const auto folder = options_.directory / "models";
    std::filesystem::create_directories(folder);
    write_file(folder / ("specialist-" + std::to_string(model + 1) + ".safetensors"), file);
  }

  /// Together the submitters look for targets twice as often as hits are wanted. There is always a
  /// target to hit, and a network that shows how all works need not be a rush.
  [[nodiscard]] std::uint32_t poll_ms() const {
    const auto rounds = 2 * options_.hits_wanted;
    const auto wait = participants_.size() * options_.epoch_ms / std::max<std::uint64_t>(rounds, 1);
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wait, 500, 60'000));
  }

  void spawn_submitters() {
    for (std::size_t i = 0; i < participants_.size(); ++i) {
      auto& someone = participants_[i];
      std::vector<submitter::file_range> ranges;
      for (std::size_t s = 0; s < data_.size(); ++s) {
        ranges.push_back({held_out_path(s), 0, data_[s].held_out.size()});
      }
      const auto seed = seed_of(options_.seed, someone.name);
      submitter::submitter_means means{
          wallet::wallet(someone.key, chain_),
          submitter::data_source(ranges, options_.piece_bytes, seed, {i, participants_.size()}),
          seed + 1};
      const auto& served_by = validator_for(i);
      submitter::submitter_ports ports{world_.clock(), served_by.validator, served_by.registry,
                                       new_scorer(1, i % committee_->size()), blobs_for(i)};
      ports.policy = policy_of(someone.conduct);
      someone.counts = ports.counts;
      submitter::submitter_options settings;
      settings.name = someone.name;
      settings.poll_ms = poll_ms();
      watch(someone.name,
            world_.system().spawn(submitter::submitter, ports, settings, std::move(means)));
    }
  }

  // ---- the run

  world::stop_reason drive(const std::function<bool()>& done) {
    return world_.run_until(
        [&] {
          if (options_.on_progress) options_.on_progress(progress());
          return !world_.fault().empty() || done();
        },
        [this] { return options_.interrupted && options_.interrupted(); },
        options_.start_ms.value_or(localnet_start_ms) + (options_.epochs + 2) * options_.epoch_ms);
  }

  expected<void, std::string> publish() {
    std::string why;
    const auto has_failed = [&] {
      for (std::size_t i = 0; i < trainers_.size() && why.empty(); ++i) {
        if (trainers_[i]->stage == trainer::trainer_stage::failed) {
          why = options_.sources[i].name + ": " + trainers_[i]->why;
        }
      }
      return !why.empty();
    };
    const auto reason = drive([&] {
      return has_failed() || std::ranges::all_of(trainers_, [](const auto& one) {
               return one->stage == trainer::trainer_stage::published;
             });
    });
    const auto& fault = world_.fault();
    if (!fault.empty() && !has_failed()) {
      // A trainer whose work has failed says so a moment later, with its name.
      (void)world_.run_until(
          has_failed, [] { return false; }, world_.now_ms() + 1'000);
    }
    if (!fault.empty() && why.find(fault) == why.npos) why += (why.empty() ? "" : ": ") + fault;
    if (!why.empty()) return make_unexpected(why);
    if (reason == world::stop_reason::interrupted)
      return make_unexpected(std::string("interrupted while training"));
    if (reason != world::stop_reason::done)
      return make_unexpected(std::string("the models were never published"));
    return {};
  }

  [[nodiscard]] localnet_progress progress() const {
    localnet_progress out;
    out.epoch = counts_->epoch;
    out.height = counts_->height;
    out.targets = counts_->targets;
    for (std::size_t i = 0; i < trainers_.size(); ++i) {
      out.models_published += trainers_[i]->stage == trainer::trainer_stage::published;
      const auto wins = counts_->wins.find(trainers_[i]->model);
      out.wins.emplace_back(options_.sources[i].name,
                            wins == counts_->wins.end() ? 0 : wins->second);
    }
    return out;
  }

  // ---- the report

  template <class Map, class Key>
  static typename Map::mapped_type value_or_none(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? typename Map::mapped_type{} : found->second;
  }

  localnet_report report(bool interrupted) {
    localnet_report out;
    // Measuring makes virtual time pass, so the state is reported first: it is that of the last
    // block of the run.
    const auto& first = committee_->at(0);
    const auto status =
        world_.ask<schema::ChainStatus>(first.validator, message<schema::GetChain>{});
    const auto counts = *counts_;
    out.seed = options_.seed;
    out.epochs = counts.epochs_ended;
    out.height = status.root().getHeight();
    out.state_root = id_or_zero<soma::state_root>(status.root().getStateRoot());
    out.supply_ok = status.root().getSupplyOk() &&
                    ledger::supply_is_whole(execution::ledger_reader(*first.ledger));
    out.validators_agree = committee_->agree();
    out.interrupted = interrupted;
    out.targets = counts.targets;
    for (std::size_t i = 0; i < trainers_.size(); ++i) {
      const auto id = trainers_[i]->model;
      out.models.push_back({id,
                            options_.sources[i].name,
                            crypto::address_of(owner_key(i).public_half()),
                            {},
                            value_or_none(counts.wins, id),
                            value_or_none(counts.model_paid, id)});
    }
    for (const auto& someone : participants_) out.submitters.push_back(account_of(someone, counts));
    for (std::size_t i = 0; i < committee_->size(); ++i) {
      localnet_account validator;
      validator.name = "validator-" + std::to_string(i + 1);
      validator.conduct = to_text(misconduct::none);
      validator.id = crypto::address_of(validator_key(i).public_half());
      validator.paid = value_or_none(counts.validator_paid, validator.id);
      validator.balance = balance_of(validator.id);
      validator.height = committee_->at(i).ledger->chain()->height.value;
      out.validators.push_back(validator);
    }
    if (!interrupted) {
      const network_under_test network{world_, first.registry, first.router, first.scorer};
      for (std::size_t s = 0; s < data_.size(); ++s) {
        const byte_view text = data_[s].held_out;
        measure_models(network, options_.sources[s].name,
                       text.first(std::min<std::size_t>(text.size(), options_.eval_bytes)), out);
      }
      measure_mixture(network, options_.architecture.max_seq, mixed_, out);
    }
    return out;
  }

  [[nodiscard]] shannons balance_of(const address& who) const {
    const auto account = committee_->at(0).ledger->view().account(who);
    return account ? account->balance : shannons{};
  }

  [[nodiscard]] localnet_account account_of(const participant& someone,
                                            const block_counts& counts) const {
    localnet_account out;
    out.name = someone.name;
    out.conduct = to_text(someone.conduct);
    out.id = crypto::address_of(someone.key.public_half());
    out.scored = someone.counts->scored;
    out.claimed = someone.counts->claimed;
    out.won = value_or_none(counts.won, out.id);
    out.paid = value_or_none(counts.submitter_paid, out.id);
    out.bonds_lost = value_or_none(counts.bonds_lost, out.id);
    out.balance = balance_of(out.id);
    return out;
  }

  localnet_options options_;
  std::vector<split_source> data_;
  bytes mixed_;
  std::vector<participant> participants_;
  chain_id chain_;
  world world_;
  std::shared_ptr<block_counts> counts_;
  std::vector<std::shared_ptr<blobs::blob_store>> disks_;  // one a validator
  std::vector<blob_store::blob_store_actor> blobs_;
  std::unique_ptr<world_committee> committee_;
  std::vector<std::shared_ptr<trainer::trainer_progress>> trainers_;
};

}  // namespace

expected<localnet_report, std::string> run_localnet(const localnet_options& options) {
  return localnet(options).run();
}

}  // namespace soma::localnet
