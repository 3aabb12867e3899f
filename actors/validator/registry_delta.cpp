#include "actors/validator/registry_delta.hpp"

#include <map>

#include "actors/ledger/queries.hpp"
#include "actors/model_registry/model_index.hpp"
#include "actors/validator/auditor.hpp"
#include "messages/codec/model_entry.hpp"

namespace soma::validator {
namespace {

model_entry entry_of_change(const rules::registry_change& change) {
  model_entry entry;
  entry.ref = change.version;
  entry.stake = change.stake;
  entry.embedding = change.embedding;
  return entry;
}

template <class MakeEntry>
message<schema::RegistryDelta> delta_with(const std::vector<rules::registry_change>& changes,
                                          std::uint64_t from, std::uint64_t to,
                                          MakeEntry make_entry) {
  std::vector<model_entry> activated;
  std::vector<model_version_ref> retired;
  for (const auto& change : changes) {
    if (change.active) {
      activated.push_back(make_entry(change));
    } else {
      retired.push_back(change.version);
    }
  }
  return message<schema::RegistryDelta>::build([&](auto out) {
    out.setFromVersion(from);
    out.setToVersion(to);
    auto entries = out.initActivated(static_cast<unsigned>(activated.size()));
    for (unsigned i = 0; i < activated.size(); ++i) fill(entries[i], activated[i]);
    auto refs = out.initRetired(static_cast<unsigned>(retired.size()));
    for (unsigned i = 0; i < retired.size(); ++i) fill(refs[i], retired[i]);
  });
}

}  // namespace

message<schema::RegistryDelta> registry_delta(const std::vector<rules::registry_change>& changes,
                                              std::uint64_t from, std::uint64_t to) {
  return delta_with(changes, from, to, entry_of_change);
}

message<schema::RegistryDelta> full_delta(const tables::ledger_view& ledger,
                                          const std::vector<rules::registry_change>& changes,
                                          std::uint64_t from, std::uint64_t to) {
  return delta_with(changes, from, to, [&](const rules::registry_change& change) {
    return entry_in_ledger(ledger, change.version).value_or(entry_of_change(change));
  });
}

message<schema::RegistryDelta> registry_snapshot(const ledger::state_reader& ledger,
                                                 const std::vector<rules::registry_change>& changes,
                                                 std::uint64_t to) {
  std::map<model_id, model_entry> entries;
  for (const auto& model : ledger::active_model_rows(ledger, SIZE_MAX)) {
    model_entry entry;
    entry.ref = {model.id, model.row.active_version};
    entry.owner = model.row.owner;
    entry.stake = model.row.pool.stake;
    entry.activation_order = model.active.activation_order;
    entry.weights = model.active.weights;
    entry.key = model.active.key;
    entry.manifest = model.active.manifest;
    entry.embedding = model.active.embedding;
    entries.emplace(model.id, std::move(entry));
  }
  for (const auto& change : changes) {
    if (change.active) {
      entries.insert_or_assign(change.version.model, entry_of_change(change));
    } else {
      entries.erase(change.version.model);
    }
  }
  std::vector<model_entry> list;
  for (auto& [id, entry] : entries) list.push_back(std::move(entry));
  return model_registry::snapshot_of(to, list);
}

rules::drawn_targets drawn_targets(const std::vector<rules::wanted_draw>& wanted,
                                   schema::DrawnTargets::Reader reply) {
  const auto points = reply.getPoints();
  const auto rows = reply.getDistancesQ30();
  rules::drawn_targets out;
  for (const auto model : reply.getModels()) out.models.push_back(ref_of(model));
  for (unsigned i = 0; i < wanted.size() && i < points.size() && i < rows.size(); ++i) {
    rules::drawn_target drawn{wanted[i].seed, floats_of(points[i]), {}};
    drawn.distances_q30.reserve(rows[i].size());
    for (const auto distance : rows[i]) drawn.distances_q30.push_back(distance);
    out.targets.push_back(std::move(drawn));
  }
  return out;
}

}  // namespace soma::validator
