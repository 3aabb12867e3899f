#include "actors/blob_keeper/named_blobs.hpp"

#include "messages/codec/codec.hpp"

namespace soma::blob_keeper {
namespace {

/// A view is held for so many rows at most, since it keeps old pages from being reused.
constexpr std::size_t rows_a_view = 1'000;

/// A blob is needed by all if one of the rows that name it says so.
void add(const named_blob& what, bool is_for_all, named_blobs& all) {
  if (what.blob.is_zero() || what.size_bytes == 0) return;
  all[what] |= is_for_all;
}

/// Weights are needed by all from the commitment on, so that they are here when they are revealed.
/// Those of a version that another one has replaced are needed by targets that still name it.
void add_version(const tables::ledger_view& ledger, const model_version_ref& ref,
                 named_blobs& all) {
  const auto version = ledger.model_version(ref);
  const auto model = ledger.model(ref.model);
  if (!version || !model) return;
  if (version->status == version_status::dropped || version->status == version_status::bad) return;
  const bool is_for_all =
      model->status != model_status::inactive && version->status != version_status::superseded;
  add({version->manifest.root, version->manifest.size_bytes}, is_for_all, all);
}

void add_submission(const tables::ledger_view& ledger, const target_id& id, epoch_number now,
                    named_blobs& all) {
  const auto target = ledger.target(id);
  const auto claim = ledger.submission(id);
  if (!target || !claim || !claim->revealed_at) return;
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
  scan(ledger, ledger_table::model_version, [&](const auto& view, byte_view key) {
    if (const auto ref = version_in_key(key)) add_version(view, *ref, all);
  });
  scan(ledger, ledger_table::submission, [&](const auto& view, byte_view key) {
    if (const auto id = id_in_key<target_id>(key)) add_submission(view, *id, chain->epoch, all);
  });
  return all;
}

void add_named(const tables::ledger_view& ledger, const event& what, named_blobs& all) {
  switch (what.kind) {
    case event_kind::model_committed:
    case event_kind::model_revealed:
      return add_version(ledger, what.model, all);
    case event_kind::data_revealed:
      return add_submission(ledger, what.target, what.epoch, all);
    default:
      return;
  }
}

}  // namespace soma::blob_keeper
