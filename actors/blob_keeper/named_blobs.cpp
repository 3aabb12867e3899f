#include "actors/blob_keeper/named_blobs.hpp"

#include <algorithm>

#include "messages/codec/codec.hpp"

namespace soma::blob_keeper {
namespace {

/// A view is held for so many rows at most, since it keeps old pages from being reused.
constexpr std::size_t rows_a_view = 1'000;
/// An audit is put off by so many epochs at most (protocol §8.4.1), and ends in the epoch after.
constexpr std::uint64_t longest_audit_epochs = 9;
/// A target that is decided and was opened so many epochs ago names nothing that is still needed.
constexpr std::uint64_t remembered_epochs =
    std::max(data_kept_epochs, weights_kept_epochs) + longest_audit_epochs;

/// A blob is needed by all if one of the rows that name it says so.
void add(const named_blob& what, bool is_for_all, named_blobs& all) {
  if (what.blob.is_zero() || what.size_bytes == 0) return;
  all[what] |= is_for_all;
}

/// The last epochs in which targets that name a version needed its weights. A version that is not
/// in it was needed last when it was committed.
using weight_uses = std::map<model_version_ref, epoch_number>;

void add_uses(const target_row& target, epoch_number in, weight_uses& uses) {
  for (const auto& version : target.assigned) {
    auto& last = uses.try_emplace(version, in).first->second;
    last = std::max(last, in);
  }
}

/// Weights are needed by all from the commitment on, so that they are here when they are revealed.
/// Those of a version that another one has replaced, or whose model has retired, are needed by
/// targets that still name it. The ledger keeps the rows of such versions for ever; the disks of
/// the members cannot keep their weights as long.
void add_version(const tables::ledger_view& ledger, const model_version_ref& ref, epoch_number now,
                 const weight_uses& uses, named_blobs& all) {
  const auto version = ledger.model_version(ref);
  const auto model = ledger.model(ref.model);
  if (!version || !model) return;
  if (version->status == version_status::dropped || version->status == version_status::bad) return;
  const bool is_for_all =
      model->status != model_status::inactive && version->status != version_status::superseded;
  const auto used = uses.find(ref);
  const auto last_use =
      std::max(version->committed_in, used == uses.end() ? version->committed_in : used->second);
  if (!is_for_all && last_use.value + weights_kept_epochs < now.value) return;
  add({version->manifest.root, version->manifest.size_bytes}, is_for_all, all);
}

void add_submission(const tables::ledger_view& ledger, const target_id& id, epoch_number now,
                    named_blobs& all, weight_uses& uses) {
  const auto target = ledger.target(id);
  const auto claim = ledger.submission(id);
  if (!target || !claim) return;
  const bool is_open =
      target->status == target_status::filled || target->status == target_status::revealed;
  const epoch_number until{claim->claimed_in.value + claim->extensions};
  add_uses(*target, is_open ? now : until, uses);
  if (!claim->revealed_at) return;
  const bool is_judged = target->status == target_status::settled;
  if (!is_judged && target->status != target_status::revealed) return;
  if (is_judged && claim->claimed_in.value + data_kept_epochs < now.value) return;
  add({claim->blob, claim->size_bytes}, !is_judged, all);
}

/// Calls `each` with a view and the key of every row of a table.
template <class Each>
void scan(const tables::ledger_store& ledger, ledger_table table, Each&& each) {
  bytes first;
  for (;;) {
    const auto view = ledger.view();
    const auto keys = view.keys_from(table, first, rows_a_view);
    for (const auto& key : keys) each(view, key);
    if (keys.size() < rows_a_view) return;
    first.assign(keys.back().begin() + 1, keys.back().end());
    first.push_back(0);  // the smallest key after the last one
  }
}

}  // namespace

named_blobs named_in(const tables::ledger_store& ledger) {
  named_blobs all;
  const auto chain = ledger.chain();
  if (!chain) return all;
  weight_uses uses;
  for (const auto& id : ledger.view().open_targets(chain->epoch)) {
    if (const auto target = ledger.view().target(id)) add_uses(*target, chain->epoch, uses);
  }
  const epoch_number first{chain->epoch.value - std::min(chain->epoch.value, remembered_epochs)};
  auto targets = ledger.view().targets_of(first, chain->epoch);
  for (const auto& target : ledger.view().undecided_targets()) {
    if (target.epoch < first) targets.push_back(target);
  }
  for (const auto& target : targets) {
    add_submission(ledger.view(), target.id, chain->epoch, all, uses);
  }
  scan(ledger, ledger_table::model_version, [&](const auto& view, byte_view key) {
    if (const auto ref = version_in_key(key)) add_version(view, *ref, chain->epoch, uses, all);
  });
  return all;
}

void add_named(const tables::ledger_view& ledger, const event& what, named_blobs& all) {
  weight_uses uses;  // none is needed: what was committed or revealed just now is in use
  switch (what.kind) {
    case event_kind::model_committed:
    case event_kind::model_revealed:
      return add_version(ledger, what.model, what.epoch, uses, all);
    case event_kind::data_revealed:
      return add_submission(ledger, what.target, what.epoch, all, uses);
    default:
      return;
  }
}

}  // namespace soma::blob_keeper
