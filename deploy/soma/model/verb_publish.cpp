#include "actors/rules/models.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/model_publish.hpp"
#include "deploy/soma/model/specialist.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/default_sources.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

constexpr std::uint32_t new_model_commission_bps = 1'000;
constexpr std::uint64_t max_speciality_bytes = std::uint64_t{64} << 20U;

}  // namespace

void model_publish::declare(option_set& options) {
  options
      .add("weights", weights_path_, "safetensors file with a model of the network's architecture")
      .positional()
      .required()
      .shown_as("WEIGHTS");
  options.add(
      "data", data_,
      "files and folders that show what the model is good at; its embedding is measured on them");
  options
      .add("stake", stake_,
           "own stake to lock; default: the minimum for a new model, nothing for an update")
      .shown_as("AMOUNT");
  options
      .add("commission", commission_bps_,
           "the owner's share of its rewards, in basis points; default: 1000 for a new model, for "
           "an update what it is")
      .shown_as("BPS");
  options.add("model", model_, "publish a new version of this model of yours").shown_as("MODEL");
  options
      .add("blobs", blobs_,
           "address of the blob store; default: that of --config. A gateway needs none")
      .shown_as("HOST:PORT");
  options.add("reveal-without-copies", reveals_without_copies_,
              "reveal in the last quarter of the epoch although no quorum of validators has the "
              "weights; without it the command ends there and reveals nothing");
  options.add("wait", wait_,
              "wait for the verdict of the validators; --wait=false ends after the reveal");
  sender_options_.declare(options);
}

outcome model_publish::run(const run_context& context) {
  if (auto loaded = load(context); !loaded) return loaded;
  if (sender_options_.dry_run) {
    const auto embedding = speciality(context);
    if (!embedding) return make_unexpected(embedding.error());
    publication_.embedding = *embedding;
    const auto effect = sender_->foresee(publication_.commitment(size_bytes_, blob_id{{1}}));
    if (effect.refusal) {
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
    if (auto judged = wait_for_verdict(*file, *at); !judged) return judged;
  }
  report(context, *at);
  return {};
}

/// Reads the weights, checks them as a validator will check them, and opens the account.
outcome model_publish::load(const run_context& context) {
  auto read = weights_at(weights_path_);
  if (!read) return make_unexpected(read.error());
  weights_ = std::move(*read);
  size_bytes_ = weights_->file_size_bytes();
  auto opened = sender::open(context, sender_options_);
  if (!opened) return make_unexpected(opened.error());
  sender_ = std::move(*opened);
  auto& ledger = sender_->ledger();
  const auto& wanted = ledger.genesis().parameters;
  if (weights_->architecture() != wanted.architecture) {
    return failed(
        "cannot publish " + weights_path_.string(),
        "it is " + weights::to_text(weights_->architecture()) + ", the network's models are " +
            weights::to_text(wanted.architecture) +
            "; validators would slash nearly all of its stake",
        "train one with `soma model train --arch " + weights::to_text(wanted.architecture) + "`");
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
  publication_.commission_bps = commission_bps_.value_or(new_model_commission_bps);
  if (update_of_ && !commission_bps_) {
    // A change that is on its way counts: an update that repeats the present value would undo it.
    const auto row = ledger.row<model_row>(model_key(*update_of_));
    if (row) publication_.commission_bps = row->next_commission_bps;
  }
  publication_.stake = update_of_ ? shannons{} : wanted.min_model_stake;
  if (!stake_.empty()) {
    const auto stake = amount_of(stake_);
    if (!stake) return make_unexpected(stake.error());
    publication_.stake = *stake;
  }
  return {};
}

expected<std::vector<float>, failure> model_publish::speciality(const run_context& context) const {
  if (data_.empty()) {
    return wrong_usage("model publish needs --data",
                       "a model is found by its embedding, which is measured on what it is good at",
                       "name some of the files it learned from");
  }
  std::vector<bytes> pieces;
  auto left = max_speciality_bytes;
  for (const auto& path : data_) {
    const auto source = source_at(path.filename().string(), path, context.home);
    if (!source) return make_unexpected(source.error());
    for (auto& piece : load_source(*source, left, left)) {
      left -= piece.data.size();
      pieces.push_back(std::move(piece.data));
    }
  }
  if (pieces.empty()) return failed("there is no data", "no file of --data can be read");
  return speciality_of(*weights_, pieces);
}

/// Continues the publication that an earlier run left, or makes a new one with a fresh key and
/// stores everything that must not be lost.
outcome model_publish::prepare(const run_context& context, publication_file& file) {
  auto kept = file.read();
  if (!kept) return make_unexpected(kept.error());
  if (*kept) {
    publication_ = std::move(**kept);
    note_line("continuing the publication in " + file.path().string());
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
    auto embedding = speciality(context);
    if (!embedding) return make_unexpected(embedding.error());
    fresh.embedding = std::move(*embedding);
    const auto dim = sender_->ledger().genesis().parameters.architecture.dim;
    if (const auto refusal = rules::check_embedding(fresh.embedding, dim)) {
      return failed("cannot publish " + weights_path_.string(),
                    std::string(rules::to_text(*refusal)),
                    "it could never be revealed; train the model first");
    }
    publication_ = std::move(fresh);
    if (auto tried = try_out(); !tried) return tried;
    if (auto written = file.write(publication_); !written) return written;
  }
  return upload(context);
}

/// Refuses if the commitment would be refused now.
outcome model_publish::try_out() {
  const auto effect = sender_->foresee(publication_.commitment(size_bytes_, blob_id{{1}}));
  if (effect.refusal) {
    return failed("cannot publish " + weights_path_.string(), effect.why,
                  "nothing was sent and nothing was charged");
  }
  note_line("fee: " + to_text(effect.fee) + ", stake: " + to_text(publication_.stake));
  return {};
}

/// Stores the encrypted weights. The stored key makes the same bytes every time, so after an
/// interruption the blob store takes only the chunks that it does not have yet.
outcome model_publish::upload(const run_context& context) {
  auto& network = *sender_->network();
  if (auto connected = connect_blobs(context, network, "model publish", blobs_); !connected) {
    return connected;
  }
  const auto owner = sender_->secret();
  if (!owner) return make_unexpected(owner.error());
  auto encrypted = weights_->file_bytes();
  publication_.cipher(encrypted);
  root_ = crypto::blob_id_of(encrypted);
  if (network.put_blob(std::move(encrypted), *owner) != root_) {
    return failed("cannot publish " + weights_path_.string(),
                  "the blob store computed another id for the weights",
                  "check that it is of the same version");
  }
  note_line("stored: " + to_text(byte_count{size_bytes_}) + ", encrypted, as " + root_.text());
  return {};
}

void model_publish::report(const run_context& context, const committed& at) const {
  if (context.wants_json) {
    print_line(json::of({{"model", at.version.model.text()},
                         {"version", at.version.version},
                         {"owner", sender_->who().text()},
                         {"weights", publication_.weights.text()},
                         {"blob", root_.is_zero() ? json() : json(root_.text())},
                         {"stake_shannons", publication_.stake.value},
                         {"commission_bps", publication_.commission_bps},
                         {"committed_in_epoch", at.epoch.value},
                         {"active_from_epoch", at.epoch.value + 2}})
                   .text());
    return;
  }
  print_line("model    " + at.version.model.text() + ", version " +
             std::to_string(at.version.version));
  print_line("active   from epoch " + std::to_string(at.epoch.value + 2) + " on");
  print_line("earns    " + percent(publication_.commission_bps) + " of its rewards for its owner");
  print_line("see      soma model info " + at.version.model.short_text());
}

void model_publish::report_dry_run(const run_context& context, const foreseen& effect) const {
  if (context.wants_json) {
    print_line(json::of({{"dry_run", true},
                         {"fee_shannons", effect.fee.value},
                         {"stake_shannons", publication_.stake.value},
                         {"commission_bps", publication_.commission_bps},
                         {"balance_shannons", effect.after.balance.value},
                         {"bytes", size_bytes_}})
                   .text());
    return;
  }
  print_line("would publish " + to_text(byte_count{size_bytes_}) + " with " +
             to_text(publication_.stake) + " of stake");
  print_line("fee          " + to_text(effect.fee) + ", and that of the reveal");
  print_line("commission   " + percent(publication_.commission_bps));
  print_line("balance      " + to_text(effect.after.balance) + " would be left");
  print_line("nothing was sent: --dry-run");
}

std::unique_ptr<verb> make_model_publish() {
  return std::make_unique<model_publish>();
}

}  // namespace soma::cli
