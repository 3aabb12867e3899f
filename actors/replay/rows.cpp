#include "actors/replay/rows.hpp"

#include <algorithm>
#include <stdexcept>

#include "storage/tables/row_table.hpp"

namespace soma::replay {
namespace {

/// After so many changes a scratch folder commits its transaction, because the changed pages take
/// memory until then.
constexpr std::size_t changes_at_once = 50'000;

bool begins_with(byte_view key, byte_view prefix) {
  return key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
}

}  // namespace

std::optional<bytes> memory_rows::find(const row_key& key) const {
  const auto found = rows_.find(key);
  return found != rows_.end() ? std::optional(found->second) : std::nullopt;
}

void memory_rows::scan(byte_view prefix,
                       const std::function<void(byte_view, byte_view)>& visit) const {
  auto at = rows_.lower_bound(row_key(prefix.begin(), prefix.end()));
  for (; at != rows_.end() && begins_with(at->first, prefix); ++at) visit(at->first, at->second);
}

void memory_rows::apply(std::span<const row_change> changes) {
  for (const auto& change : changes) {
    if (change.value) {
      rows_.insert_or_assign(change.key, *change.value);
    } else {
      rows_.erase(change.key);
    }
  }
}

struct scratch_rows::inside {
  explicit inside(const std::filesystem::path& where)
      : folder(where),
        environment(where, {.format = "soma-scratch 1", .tables = tables::row_table::names()}),
        rows(environment) {
    begin();
  }
  void begin() { changing.emplace(environment); }

  std::filesystem::path folder;
  lmdb::environment environment;
  tables::row_table rows;
  std::optional<lmdb::write_txn> changing;  // always open; reads see what it has written
  std::size_t changed = 0;
};

scratch_rows::scratch_rows(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder)) {
    throw std::runtime_error(folder.string() + " is there already; a scratch folder is made anew");
  }
  inside_ = std::make_unique<inside>(folder);
}

scratch_rows::~scratch_rows() {
  const auto folder = inside_->folder;
  inside_.reset();
  std::error_code left;
  std::filesystem::remove_all(folder, left);
}

std::optional<bytes> scratch_rows::find(const row_key& key) const {
  const auto found = inside_->rows.find(*inside_->changing, key);
  return found ? std::optional(bytes(found->begin(), found->end())) : std::nullopt;
}

void scratch_rows::scan(byte_view prefix,
                        const std::function<void(byte_view, byte_view)>& visit) const {
  inside_->rows.scan(*inside_->changing, prefix, [&](byte_view key, byte_view value) {
    visit(key, value);
    return true;
  });
}

void scratch_rows::apply(std::span<const row_change> changes) {
  for (const auto& change : changes) inside_->rows.apply(*inside_->changing, change);
  inside_->changed += changes.size();
  if (inside_->changed < changes_at_once) return;
  inside_->changing->commit();
  inside_->changing.reset();
  inside_->changed = 0;
  inside_->begin();
}

}  // namespace soma::replay
