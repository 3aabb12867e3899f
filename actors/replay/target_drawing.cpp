#include "actors/replay/target_drawing.hpp"

#include "actors/ledger/queries.hpp"
#include "model/noise/noise.hpp"

namespace soma::replay {
namespace {

std::vector<float> embedding_of(const model_version_ref& wanted, const rules::execution& begun,
                                const ledger::state_reader& before) {
  // A version that this block activates may have been revealed in the same block. Then only the
  // execution has its embedding.
  for (const auto& change : begun.registry()) {
    if (change.active && change.version == wanted) return change.embedding;
  }
  auto row = ledger::read_version(before, wanted);
  SOMA_ASSERT(row.has_value(), "a version that may be assigned has a row");
  return std::move(row->embedding);
}

}  // namespace

target_drawing::target_drawing(std::uint32_t dim, unsigned threads)
    : dim_(dim), pool_(threads), index_(dim) {}

void target_drawing::follow(const rules::execution& begun, const ledger::state_reader& before) {
  auto old = placed_.begin();
  const auto drop = [&](auto at) {
    index_.remove(at->second.slot);
    return placed_.erase(at);
  };
  for (const auto& candidate : begun.candidates()) {
    const auto& wanted = candidate.model;
    while (old != placed_.end() && old->first < wanted.model) old = drop(old);
    const bool known = old != placed_.end() && old->first == wanted.model;
    if (known && old->second.version == wanted.version) {
      ++old;
      continue;
    }
    const auto embedding = embedding_of(wanted, begun, before);
    SOMA_ASSERT(embedding.size() == dim_, "the rules take embeddings of one dimension only");
    if (known) {
      index_.replace(old->second.slot, embedding);
      old->second.version = wanted.version;
      ++old;
    } else {
      placed_.emplace_hint(old, wanted.model, placed{wanted.version, index_.insert(embedding)});
    }
  }
  while (old != placed_.end()) old = drop(old);
}

rules::drawn_targets target_drawing::draw(const rules::execution& begun,
                                          const ledger::state_reader& before) {
  rules::drawn_targets drawn;
  if (begun.draws().empty()) return drawn;
  follow(begun, before);
  for (const auto& candidate : begun.candidates()) drawn.models.push_back(candidate.model);
  std::vector<std::uint32_t> by_slot(index_.slots());
  for (const auto& wanted : begun.draws()) {
    rules::drawn_target target{wanted.seed, noise::normals(wanted.seed, dim_), {}};
    index_.distances(target.point, by_slot, pool_);
    target.distances_q30.reserve(placed_.size());
    for (const auto& [id, model] : placed_) target.distances_q30.push_back(by_slot[model.slot]);
    drawn.targets.push_back(std::move(target));
  }
  SOMA_ASSERT(!rules::check_draws(begun, drawn), "what is drawn here answers what was asked");
  return drawn;
}

}  // namespace soma::replay
