// A model's weights to the network: encrypted into the blob store, committed to in one epoch,
// revealed in the next. Protocol §6. Given again after it was stopped or killed, the same command
// goes on where that one was.
#include <chrono>
#include <thread>

#include "actors/rules/derived_ids.hpp"
#include "actors/rules/models.hpp"
#include "deploy/soma/console.hpp"
#include "deploy/soma/default_sources.hpp"
#include "deploy/soma/model_options.hpp"
#include "deploy/soma/publication.hpp"
#include "deploy/soma/sending.hpp"
#include "deploy/soma/specialist.hpp"
#include "deploy/soma/stop.hpp"
#include "deploy/soma/units.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/merkle.hpp"
#include "model/torch/threads.hpp"
#include "model/weights/architectures.hpp"

namespace soma {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds between_questions(200);
constexpr unsigned most_refusals = 10;
constexpr std::uint64_t max_speciality_bytes = std::uint64_t{64} << 20U;

class model_publish final : public verb {
 public:
  std::string_view name() const override { return "model publish"; }
  std::string_view summary() const override {
    return "put a model on the network; the same command goes on after a stop or a kill";
  }
  std::string_view example() const override {
    return "soma model publish w.safetensors --data ~/src --stake 10 --from alice --config "
           "node.toml\n"
           "soma model publish better.safetensors --data ~/src --model 0x3f9a21c4 --config "
           "node.toml";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  /// Where a commitment stands on the chain.
  struct committed {
    model_version_ref version;
    epoch_number epoch;
  };
  [[nodiscard]] outcome load(const run_context& context);
  [[nodiscard]] outcome prepare(const run_context& context, publication_file& file);
  [[nodiscard]] expected<std::vector<float>, failure> speciality() const;
  [[nodiscard]] outcome try_out();
  [[nodiscard]] outcome upload(const run_context& context);
  [[nodiscard]] expected<committed, failure> commit(publication_file& file);
  [[nodiscard]] expected<std::optional<committed>, failure> find_commitment(publication_file& file);
  [[nodiscard]] committed version_of(const signed_transaction& commit, epoch_number epoch) const;
  [[nodiscard]] expected<bool, failure> wait_for(epoch_number epoch, const std::string& what) const;
  [[nodiscard]] outcome reveal(publication_file& file, const committed& at);
  [[nodiscard]] outcome missed(publication_file& file, const committed& at,
                               const std::string& why) const;
  void report(const run_context& context, const committed& at) const;
  void report_dry_run(const run_context& context, const foreseen& effect) const;

  fs::path weights_path_;
  std::vector<fs::path> data_;
  std::string stake_, model_, blobs_;
  std::uint32_t commission_bps_ = 1'000;
  bool wait_ = false;
  sender_options sender_options_;

  std::optional<sender> sender_;
  std::optional<model::weights> weights_;
  std::optional<model_id> update_of_;
  publication publication_;
  std::uint64_t size_bytes_ = 0;
  blob_id root_;
};

void model_publish::declare(option_set& options) {
  options.add("weights", weights_path_, "a safetensors file of the network's architecture")
      .positional()
      .required()
      .shown_as("WEIGHTS");
  options.add("data", data_,
              "files and folders that show what it is good at: its embedding is measured on them");
  options.add("stake", stake_, "own stake to lock; default: the minimum, nothing for an update")
      .shown_as("AMOUNT");
  options.add("commission", commission_bps_, "the owner's cut of its rewards, in basis points")
      .shown_as("BPS");
  options.add("model", model_, "publish a new version of this model of yours").shown_as("MODEL");
  options.add("blobs", blobs_, "where the blob store listens; default: that of --config")
      .shown_as("HOST:PORT");
  options.add("wait", wait_, "until the version is active, not only revealed");
  sender_options_.declare(options);
}

outcome model_publish::run(const run_context& context) {
  if (auto loaded = load(context); !loaded) return loaded;
  if (sender_options_.dry_run) {
    const auto embedding = speciality();
    if (!embedding) return make_unexpected(embedding.error());
    publication_.embedding = *embedding;
    const auto effect = sender_->foresee(publication_.commitment(size_bytes_, blob_id{{1}}));
    if (effect.refusal != 0) {
      return failed("cannot publish", effect.why, "nothing was sent: --dry-run");
    }
    report_dry_run(context, effect);
    return {};
  }
  auto file = publication_file::open(context.home, sender_->ledger().chain_of(), sender_->who(),
                                     weights_->hash(), update_of_);
  if (!file) return make_unexpected(file.error());
  if (auto prepared = prepare(context, *file); !prepared) return prepared;
  const auto at = commit(*file);
  if (!at) return make_unexpected(at.error());
  if (auto revealed = reveal(*file, *at); !revealed) return revealed;
  if (wait_) {
    const auto came = wait_for(epoch_number{at->epoch.value + 2}, "waiting to be active in");
    if (!came) return make_unexpected(came.error());
  }
  report(context, *at);
  return {};
}

/// The weights, checked as a validator will check them, and the account.
outcome model_publish::load(const run_context& context) {
  auto read = weights_at(weights_path_);
  if (!read) return make_unexpected(read.error());
  weights_ = std::move(*read);
  size_bytes_ = weights_->file_size_bytes();
  auto opened = sender::open(context, sender_options_);
  if (!opened) return make_unexpected(opened.error());
  sender_ = std::move(*opened);
  auto& ledger = sender_->ledger();
  const auto& wanted = ledger.born().parameters;
  if (weights_->architecture() != wanted.architecture) {
    return failed(
        "cannot publish " + weights_path_.string(),
        "it is " + model::to_text(weights_->architecture()) + ", the network's models are " +
            model::to_text(wanted.architecture) +
            "; validators would slash nearly all of its stake",
        "train one with `soma model train --arch " + model::to_text(wanted.architecture) + "`");
  }
  if (!model_.empty()) {
    const auto model = model_named(ledger, model_);
    if (!model) return make_unexpected(model.error());
    update_of_ = *model;
  }
  publication_.chain = ledger.chain_of();
  publication_.owner = sender_->who();
  publication_.update_of = update_of_;
  publication_.weights = weights_->hash();
  publication_.commission_bps = commission_bps_;
  publication_.stake = update_of_ ? shannons{} : wanted.min_model_stake;
  if (!stake_.empty()) {
    const auto stake = amount_of(stake_);
    if (!stake) return make_unexpected(stake.error());
    publication_.stake = *stake;
  }
  return {};
}

expected<std::vector<float>, failure> model_publish::speciality() const {
  if (data_.empty()) {
    return wrong_usage("model publish needs --data",
                       "a model is found by its embedding, which is measured on what it is good at",
                       "name some of the files it learned from");
  }
  std::vector<bytes> pieces;
  auto left = max_speciality_bytes;
  for (const auto& path : data_) {
    const auto source = source_at(path.filename().string(), path);
    if (!source) return make_unexpected(source.error());
    for (auto& piece : load_source(*source, left, left)) {
      left -= piece.data.size();
      pieces.push_back(std::move(piece.data));
    }
  }
  if (pieces.empty()) return failed("there is no data", "no file of --data can be read");
  return speciality_of(*weights_, pieces);
}

/// What an earlier run left, or a fresh key with everything else that has to be kept.
outcome model_publish::prepare(const run_context& context, publication_file& file) {
  auto kept = file.read();
  if (!kept) return make_unexpected(kept.error());
  if (*kept) {
    publication_ = std::move(**kept);
    note_line("going on with the publication in " + file.path().string());
    if (publication_.published) return {};
  } else {
    crypto::system_random random;
    auto fresh = new_publication(random);
    fresh.chain = publication_.chain;
    fresh.owner = publication_.owner;
    fresh.update_of = publication_.update_of;
    fresh.weights = publication_.weights;
    fresh.stake = publication_.stake;
    fresh.commission_bps = publication_.commission_bps;
    auto embedding = speciality();
    if (!embedding) return make_unexpected(embedding.error());
    fresh.embedding = std::move(*embedding);
    const auto dim = sender_->ledger().born().parameters.architecture.dim;
    if (const auto refusal = rules::check_embedding(fresh.embedding, dim)) {
      return failed("cannot publish " + weights_path_.string(),
                    std::string(rules::to_text(*refusal)), "it could never be revealed: train it");
    }
    publication_ = std::move(fresh);
    if (auto tried = try_out(); !tried) return tried;
    if (auto written = file.write(publication_); !written) return written;
  }
  return upload(context);
}

/// A commitment that would be refused is not prepared any further.
outcome model_publish::try_out() {
  const auto effect = sender_->foresee(publication_.commitment(size_bytes_, blob_id{{1}}));
  if (effect.refusal != 0) {
    return failed("cannot publish " + weights_path_.string(), effect.why,
                  "nothing was sent and nothing was charged");
  }
  note_line("fee: " + to_text(effect.fee) + ", stake: " + to_text(publication_.stake));
  return {};
}

/// Encrypted under the kept key: the same bytes every time, of which the store takes what it has
/// not.
outcome model_publish::upload(const run_context& context) {
  const auto at = ledger_place::role(context, "--blobs", blobs_, "blob_store");
  if (!at) return make_unexpected(at.error());
  if (!*at) {
    return wrong_usage("model publish needs a blob store", "nobody would find the weights",
                       "name one with --blobs HOST:PORT");
  }
  if (auto connected = sender_->network()->connect_blobs(**at); !connected) return connected;
  auto encrypted = weights_->file_bytes();
  publication_.cipher(encrypted);
  root_ = crypto::blob_id_of(encrypted);
  if (sender_->network()->put_blob(std::move(encrypted)) != root_) {
    return failed("cannot publish " + weights_path_.string(),
                  "the blob store gave the weights another name than they have",
                  "is it of the same version?");
  }
  note_line("stored: " + to_text(byte_count{size_bytes_}) + ", encrypted, as " + root_.text());
  return {};
}

model_publish::committed model_publish::version_of(const signed_transaction& commit,
                                                   epoch_number epoch) const {
  committed at;
  at.epoch = epoch;
  at.version.model = update_of_ ? *update_of_ : rules::model_id_of(crypto::id_of(commit));
  const auto hash = crypto::model_commitment(publication_.weights, publication_.key,
                                             publication_.embedding, publication_.salt);
  // The version is the one that carries the commitment; a later update may follow it.
  const auto row = sender_->ledger().row<model_row>(model_key(at.version.model));
  for (auto version = row ? row->latest_version : 1; version > 0; --version) {
    at.version.version = version;
    const auto found = sender_->ledger().row<model_version_row>(model_version_key(at.version));
    if (found && found->commitment == hash) break;
  }
  return at;
}

/// The kept commitment's place on the chain; nothing when there is none and none can come any more,
/// so that another may be signed.
expected<std::optional<model_publish::committed>, failure> model_publish::find_commitment(
    publication_file& file) {
  if (!publication_.commit) return std::optional<committed>{};
  auto& network = *sender_->network();
  const auto id = crypto::id_of(*publication_.commit);
  // Asked before the transaction's state: what could still execute it after the answer is seen.
  const auto epoch = network.chain().epoch;
  const auto account = network.row<account_row>(account_key(sender_->who()));
  const auto state = network.state_of(id);
  if (state.height.value != 0 && state.refusal == 0) {
    return version_of(*publication_.commit, state.epoch);
  }
  if (state.height.value == 0) {
    const bool is_dead = epoch > publication_.commit_expiry ||
                         (account && account->nonce > publication_.commit_nonce);
    if (!is_dead) {
      const auto done = sender_->deliver(*publication_.commit, publication_.commit_expiry);
      if (!done) return make_unexpected(done.error());
      return version_of(*publication_.commit, done->state.epoch);
    }
  } else {
    note_line("the commitment was refused before: " + state.why + "; trying anew");
  }
  publication_.commit.reset();
  if (auto written = file.write(publication_); !written) return make_unexpected(written.error());
  return std::optional<committed>{};
}

expected<model_publish::committed, failure> model_publish::commit(publication_file& file) {
  auto found = find_commitment(file);
  if (!found) return make_unexpected(found.error());
  if (*found) return **found;
  const auto content = publication_.commitment(size_bytes_, root_);
  const auto effect = sender_->foresee(content);
  if (effect.refusal != 0) {
    return failed("cannot publish " + weights_path_.string(), effect.why,
                  "nothing was sent and nothing was charged");
  }
  auto transaction = sender_->sign(content);
  if (!transaction) return make_unexpected(transaction.error());
  const auto body = decode<soma::transaction>(transaction->body);
  publication_.commit = *transaction;
  publication_.commit_expiry = body->expiry;
  publication_.commit_nonce = body->nonce;
  // Durable before anyone sees it.
  if (auto written = file.write(publication_); !written) return make_unexpected(written.error());
  const auto done = sender_->deliver(*transaction, body->expiry);
  if (!done) return make_unexpected(done.error());
  const auto at = version_of(*transaction, done->state.epoch);
  note_line("committed: model " + at.version.model.text() + " version " +
            std::to_string(at.version.version) + ", epoch " + std::to_string(at.epoch.value));
  return at;
}

/// False when a stop was asked for first.
expected<bool, failure> model_publish::wait_for(epoch_number epoch, const std::string& what) const {
  auto& network = *sender_->network();
  live_area area;
  for (;;) {
    const auto chain = network.chain();
    if (chain.epoch >= epoch) {
      area.clear();
      return true;
    }
    const auto ends = chain.epoch_start_ms + network.born().parameters.epoch_ms;
    const auto now = unix_now_ms();
    const auto left = ends > now ? ends - now : 0;
    area.draw({what + " epoch " + std::to_string(epoch.value) + "; epoch " +
               std::to_string(chain.epoch.value) + " ends in " +
               duration_text(static_cast<double>(left) / 1'000)});
    if (stop_requested()) return false;
    std::this_thread::sleep_for(between_questions);
  }
}

outcome model_publish::missed(publication_file& file, const committed& at,
                              const std::string& why) const {
  if (auto aside = file.put_aside(".missed"); !aside) return aside;
  return failed("model " + at.version.model.short_text() + " was not revealed in time", why,
                update_of_ ? "the old version stays; the same command begins anew"
                           : "a part of its stake is lost; withdraw the rest with `soma stake "
                             "withdraw`; the same command begins anew");
}

outcome model_publish::reveal(publication_file& file, const committed& at) {
  auto& network = *sender_->network();
  const auto content = publication_.reveal(at.version.model);
  std::optional<failure> last;
  unsigned refused = 0;
  for (;;) {
    const auto row = network.row<model_version_row>(model_version_key(at.version));
    const auto epoch = network.chain().epoch;
    if (!row) return failed("cannot reveal", "the ledger lost the version; is it another network?");
    if (row->status == version_status::revealed || row->status == version_status::active ||
        row->status == version_status::superseded) {
      if (publication_.published) return {};
      publication_.published = true;
      note_line("revealed: active from epoch " + std::to_string(at.epoch.value + 2) + " on");
      return file.write(publication_);
    }
    if (row->status == version_status::bad) {
      return failed("model " + at.version.model.short_text() + " was judged bad",
                    "validators found its weights missing or wrong", "see `soma model info`");
    }
    if (row->status == version_status::dropped || epoch > at.epoch.next()) {
      return missed(file, at, last ? last->why : "its epoch has passed");
    }
    if (epoch == at.epoch) {
      const auto came = wait_for(at.epoch.next(), "waiting to reveal in");
      if (!came) return make_unexpected(came.error());
      if (!*came) {
        return failed("stopped before the reveal",
                      "the commitment stands, and it must be revealed in epoch " +
                          std::to_string(at.epoch.next().value),
                      "give the same command again before that epoch ends, or stake is lost");
      }
      continue;
    }
    if (stop_requested()) {
      return failed("stopped before the reveal", "this epoch is the one for it",
                    "give the same command again at once, or stake is lost");
    }
    // A reveal that a killed run sent may still wait, or be in a block by now: then ours is
    // refused, and the row tells a moment later.
    if (const auto effect = sender_->foresee(content); effect.refusal != 0) {
      if (++refused > most_refusals) {
        return failed("cannot reveal", effect.why, "the epoch is not over: try again");
      }
      std::this_thread::sleep_for(between_questions);
      continue;
    }
    auto transaction = sender_->sign(content);
    if (!transaction) return make_unexpected(transaction.error());
    if (const auto done = sender_->deliver(*transaction, at.epoch.next()); !done) {
      last = done.error();
      std::this_thread::sleep_for(between_questions);
    }
  }
}

void model_publish::report(const run_context& context, const committed& at) const {
  if (context.wants_json) {
    print_line(json::of({{"model", at.version.model.text()},
                         {"version", at.version.version},
                         {"owner", sender_->who().text()},
                         {"weights", publication_.weights.text()},
                         {"blob", root_.is_zero() ? json() : json(root_.text())},
                         {"stake_shannons", publication_.stake.value},
                         {"committed_in_epoch", at.epoch.value},
                         {"active_from_epoch", at.epoch.value + 2}})
                   .text());
    return;
  }
  print_line("model    " + at.version.model.text() + ", version " +
             std::to_string(at.version.version));
  print_line("active   from epoch " + std::to_string(at.epoch.value + 2) + " on");
  print_line("see      soma model info " + at.version.model.short_text());
}

void model_publish::report_dry_run(const run_context& context, const foreseen& effect) const {
  if (context.wants_json) {
    print_line(json::of({{"dry_run", true},
                         {"fee_shannons", effect.fee.value},
                         {"stake_shannons", publication_.stake.value},
                         {"balance_shannons", effect.after.balance.value},
                         {"bytes", size_bytes_}})
                   .text());
    return;
  }
  print_line("would publish " + to_text(byte_count{size_bytes_}) + " with " +
             to_text(publication_.stake) + " of stake");
  print_line("fee          " + to_text(effect.fee) + ", and that of the reveal");
  print_line("balance      " + to_text(effect.after.balance) + " would be left");
  print_line("nothing was sent: --dry-run");
}

}  // namespace

std::unique_ptr<verb> make_model_publish() {
  return std::make_unique<model_publish>();
}

}  // namespace soma
