// The part of `soma model publish` that deals with the chain: it commits, waits and reveals.
#include <chrono>
#include <thread>

#include "actors/rules/arithmetic.hpp"
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/model/model_publish.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

constexpr std::chrono::milliseconds between_questions(200);
constexpr unsigned most_refusals = 10;
constexpr std::uint32_t answer_ms = 1'000;  // for the members, each time they are asked

/// The last quarter of an epoch is left to the user, who has to decide what to do if no quorum has
/// the weights by then.
bool is_last_quarter(const chain_row& chain, std::uint64_t epoch_ms) {
  return chain.time_ms - chain.epoch_start_ms >= epoch_ms - epoch_ms / 4;
}

}  // namespace

/// The version that the commitment has made on the chain, nullopt if none has this commitment. It
/// need not be the latest, since another update may have followed it.
std::optional<model_publish::committed> model_publish::version_of(
    const signed_transaction& commit) const {
  auto& network = *sender_->network();
  committed at;
  at.version.model = update_of_ ? *update_of_ : signing::model_id_of(signing::id_of(commit));
  const auto hash =
      signing::model_commitment(publication_.weights, publication_.key, publication_.embedding,
                                publication_.salt, publication_.owner);
  const auto row = network.row<model_row>(model_key(at.version.model));
  for (auto version = row ? row->latest_version : 0; version > 0; --version) {
    at.version.version = version;
    const auto found = network.row<model_version_row>(model_version_key(at.version));
    if (!found || found->commitment != hash) continue;
    at.epoch = found->committed_in;
    return at;
  }
  return std::nullopt;
}

expected<model_publish::committed, failure> model_publish::deliver_commitment() {
  const auto done =
      sender_->deliver(*publication_.commit, publication_.commit_expiry, publication_.commit_nonce);
  if (!done) return make_unexpected(done.error());
  const auto at = version_of(*publication_.commit);
  if (!at) {
    return failed("cannot publish " + weights_path_.string(),
                  "a block has the commitment, but the ledger does not have its version",
                  "check that it is the same network");
  }
  return *at;
}

/// Finds the commitment that an earlier run signed. If no block has it, but a block may still take
/// it, it is offered again. Returns nullopt if no block has executed it and no block can do so any
/// more: only then may another commitment be signed.
expected<std::optional<model_publish::committed>, failure> model_publish::find_commitment(
    publication_file& file) {
  if (!publication_.commit) return std::optional<committed>{};
  auto& network = *sender_->network();
  const auto id = signing::id_of(*publication_.commit);
  // Epoch and nonce are read before the state of the transaction. In the other order, a block could
  // execute the transaction between the two answers, and it would look lost.
  const auto epoch = network.chain().epoch;
  const auto account = network.row<account_row>(account_key(sender_->who()));
  const auto state = network.state_of(id);
  // The version is looked for in the ledger: the network forgets after a while what became of a
  // transaction, but never a version.
  if (const auto at = version_of(*publication_.commit)) return at;
  if (state.height.value == 0) {
    const bool is_dead = epoch > publication_.commit_expiry ||
                         (account && account->nonce > publication_.commit_nonce);
    if (!is_dead) {
      auto at = deliver_commitment();
      if (!at) return make_unexpected(at.error());
      return std::optional(*at);
    }
  } else {
    note_line("the earlier commitment was refused: " + state.why + "; a new one is sent");
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
  if (effect.refusal) {
    return failed("cannot publish " + weights_path_.string(), effect.why,
                  "nothing was sent and nothing was charged");
  }
  auto transaction = sender_->sign(content);
  if (!transaction) return make_unexpected(transaction.error());
  publication_.commit = transaction->sent;
  publication_.commit_expiry = transaction->content.expiry;
  publication_.commit_nonce = transaction->content.nonce;
  // The commitment must be on the disk before the network sees it.
  if (auto written = file.write(publication_); !written) return make_unexpected(written.error());
  auto at = deliver_commitment();
  if (!at) return make_unexpected(at.error());
  note_line("committed: model " + at->version.model.text() + " version " +
            std::to_string(at->version.version) + ", epoch " + std::to_string(at->epoch.value));
  return at;
}

/// Waits until the network has reached the epoch. Returns false if a stop was asked for before.
expected<bool, failure> model_publish::wait_for(epoch_number epoch, const std::string& what) const {
  auto& network = *sender_->network();
  live_area area;
  for (;;) {
    const auto chain = network.chain();
    if (chain.epoch >= epoch) {
      area.clear();
      return true;
    }
    const auto ends = chain.epoch_start_ms + network.genesis().parameters.epoch_ms;
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
                update_of_ ? "the old version stays active; the same command publishes anew"
                           : "a part of its stake is lost; withdraw the rest with `soma stake "
                             "withdraw`; the same command publishes anew");
}

outcome model_publish::judged_bad(publication_file& file, const committed& at,
                                  const model_version_row& row) const {
  if (auto aside = file.put_aside(".bad"); !aside) return aside;
  return failed("model " + at.version.model.short_text() + " was judged bad",
                "the verdicts of the validators: " + verdicts_text(row.votes),
                "`soma explain " + at.version.model.short_text() +
                    "` tells what was lost; the same command publishes anew");
}

outcome model_publish::not_accepted(publication_file& file, const committed& at,
                                    const model_version_row& row) const {
  if (auto aside = file.put_aside(".dropped"); !aside) return aside;
  return failed("model " + at.version.model.short_text() + " was not accepted",
                "no quorum of validators found it good within three epochs; their verdicts: " +
                    verdicts_text(row.votes),
                "nothing was slashed; check that its home can be reached by other validators; the "
                "same command publishes anew");
}

/// Waits until the validators have judged the revealed version: only then is it known whether the
/// stake is safe.
outcome model_publish::wait_for_verdict(publication_file& file, const committed& at) const {
  auto& network = *sender_->network();
  live_area area;
  for (;;) {
    const auto row = network.row<model_version_row>(model_version_key(at.version));
    if (row && row->status == version_status::bad) return judged_bad(file, at, *row);
    if (row && row->status == version_status::dropped) {
      return not_accepted(file, at, *row);
    }
    if (row && row->status != version_status::revealed) return {};
    const auto verdicts = row ? verdicts_text(row->votes) : "none yet";
    area.draw({"waiting for the verdicts of the validators: " + verdicts});
    if (stop_requested()) {
      return failed("stopped before the verdict", "the model is revealed; verdicts: " + verdicts,
                    "give the same command again to wait on; keep the blob store running");
    }
    std::this_thread::sleep_for(between_questions);
  }
}

outcome model_publish::without_quorum(const committed& at, const std::string& problem,
                                      const std::string& why) const {
  return failed(
      "model " + at.version.model.short_text() + " is not revealed: " + problem, why,
      "give the same command again in this epoch, epoch " + std::to_string(at.epoch.next().value) +
          ", to ask again, or with --reveal-without-copies to reveal all the same: it is then "
          "dropped without a loss if no quorum finds it good within three epochs; " +
          (update_of_ ? "not revealed, the old version stays active"
                      : "not revealed, half of its stake is lost"));
}

/// A gateway that said that it has the weights may have thrown them away. What is wrong with the
/// others is told, and the wait goes on.
void model_publish::upload_elsewhere() {
  try {
    const auto owner = sender_->secret();
    if (!owner) return;
    auto encrypted = weights_->file_bytes();
    publication_.cipher(encrypted);
    (void)sender_->network()->put_blob_elsewhere(std::move(encrypted), *owner);
  } catch (const source_failure& failure) {
    note_line(failure.what());
  }
}

/// Waits until a quorum has the weights. Once they are revealed, only the validators that have them
/// can judge them, and the publisher's home may be the only other place where they are.
outcome model_publish::await_copies(const committed& at) {
  auto& network = *sender_->network();
  const auto epoch_ms = network.genesis().parameters.epoch_ms;
  live_area area;
  bool is_first = true;
  std::uint64_t eighths = 1;  // of the epoch, until another gateway is tried
  const auto look = [&] {
    if (!std::exchange(is_first, false)) std::this_thread::sleep_for(between_questions);
    copies_seen seen;
    seen.holders = network.holders_of(root_, size_bytes_, answer_ms);
    seen.seats = network.row<committee_row>(committee_key()).value_or(committee_row{}).seats;
    const auto chain = network.chain();
    seen.is_late = chain.epoch > at.epoch.next() || is_last_quarter(chain, epoch_ms);
    const bool has_nobody = seen.holders && seen.holders->empty() && copies_.copies() == 0;
    if (has_nobody && !seen.is_late &&
        chain.time_ms - chain.epoch_start_ms >= eighths * epoch_ms / 8) {
      ++eighths;
      area.clear();
      upload_elsewhere();
    }
    return seen;
  };
  const auto end = wait_for_copies(copies_, look, stop_requested, [&](const std::string& text) {
    area.draw({"waiting for the weights to be with a quorum: " + text});
  });
  area.clear();
  switch (end) {
    case copies_end::quorum:
      if (copies_.copies() > 0) note_line(copies_.text());
      return {};
    case copies_end::stopped:
      return failed("stopped before the reveal",
                    copies_.text() + "; the model must be revealed in this epoch",
                    "give the same command again at once, or stake is lost");
    case copies_end::late:
      // Whether the epoch is over is for the caller to see.
      if (network.chain().epoch > at.epoch.next()) return {};
      if (!reveals_without_copies_) {
        return without_quorum(at, "only " + copies_.text(),
                              "a quorum is " + std::to_string(rules::quorum_power.value) +
                                  " of power, and they have " +
                                  std::to_string(copies_.power().value));
      }
      note_line("only " + copies_.text() + "; revealed all the same");
      return {};
    case copies_end::unknown:
      if (!reveals_without_copies_) {
        return without_quorum(at, "it is not known who has the weights",
                              network.where() +
                                  " has no blob store in its process, so it exchanges no blobs "
                                  "with the other validators");
      }
      note_line("it is not known who has the weights; revealed all the same");
      return {};
  }
  return {};
}

outcome model_publish::reveal(publication_file& file, const committed& at) {
  auto& network = *sender_->network();
  const auto content = publication_.reveal(at.version.model);
  std::optional<failure> last;
  unsigned refused = 0;
  bool has_waited = false;
  for (;;) {
    const auto row = network.row<model_version_row>(model_version_key(at.version));
    const auto epoch = network.chain().epoch;
    if (!row)
      return failed("cannot reveal",
                    "the ledger does not have this version; check that it is the same network");
    if (row->status == version_status::revealed || row->status == version_status::active ||
        row->status == version_status::superseded) {
      if (publication_.published) return {};
      publication_.published = true;
      note_line("revealed");
      return file.write(publication_);
    }
    if (row->status == version_status::bad) return judged_bad(file, at, *row);
    if (row->status == version_status::dropped && !row->weights.is_zero()) {
      return not_accepted(file, at, *row);
    }
    if (row->status == version_status::dropped || epoch > at.epoch.next()) {
      return missed(file, at, last ? last->why : "its epoch has passed");
    }
    if (epoch == at.epoch) {
      const auto came =
          wait_for(at.epoch.next(), "keep this running, or stake is lost: it reveals in");
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
      return failed("stopped before the reveal", "it must be revealed in this epoch",
                    "give the same command again at once, or stake is lost");
    }
    if (!std::exchange(has_waited, true)) {
      if (auto waited = await_copies(at); !waited) return waited;
      continue;
    }
    // A reveal that a killed run sent may still wait, or may be in a block by now. Then this one
    // would be refused, and the row of the version shows the result a moment later.
    if (const auto effect = sender_->foresee(content); effect.refusal) {
      if (++refused > most_refusals) {
        return failed("cannot reveal", effect.why, "the epoch is not over: try again");
      }
      std::this_thread::sleep_for(between_questions);
      continue;
    }
    auto transaction = sender_->sign(content);
    if (!transaction) return make_unexpected(transaction.error());
    if (const auto done =
            sender_->deliver(transaction->sent, at.epoch.next(), transaction->content.nonce);
        !done) {
      last = done.error();
      std::this_thread::sleep_for(between_questions);
    }
  }
}

}  // namespace soma::cli
