#include "actors/ledger/state_lists.hpp"

#include <algorithm>

#include "actors/ledger/queries.hpp"

namespace soma::ledger {
namespace {

std::uint64_t chain_row::*length_of(list_kind which) {
  return which == list_kind::active_models ? &chain_row::active_models : &chain_row::open_targets;
}

std::uint32_t pages_of(std::size_t ids) {
  return static_cast<std::uint32_t>((ids + list_page_ids - 1) / list_page_ids);
}

std::vector<hash256> ids_of(const block_state& state, list_kind which, std::uint64_t length) {
  std::vector<hash256> all;
  all.reserve(length);
  for (std::uint32_t page = 0; page < pages_of(length); ++page) {
    const auto& ids = state.lists.get({which, page}).ids;
    all.insert(all.end(), ids.begin(), ids.end());
  }
  SOMA_ASSERT(all.size() == length, "the chain row counts the entries of its lists");
  return all;
}

/// Writes the pages that differ.
void write_list(block_state& state, list_kind which, const std::vector<hash256>& before,
                const std::vector<hash256>& after) {
  const auto page_of = [](const std::vector<hash256>& list, std::uint32_t page) {
    const auto from = std::min(list.size(), page * list_page_ids);
    const auto to = std::min(list.size(), from + list_page_ids);
    return std::span(list).subspan(from, to - from);
  };
  const auto pages = pages_of(std::max(before.size(), after.size()));
  for (std::uint32_t page = 0; page < pages; ++page) {
    const auto now = page_of(after, page);
    if (std::ranges::equal(now, page_of(before, page))) continue;
    if (now.empty()) {
      state.lists.erase({which, page});
    } else {
      state.lists.put({which, page}, {{now.begin(), now.end()}});
    }
  }
}

}  // namespace

std::vector<hash256> changed_list(std::vector<hash256> list, const std::set<hash256>& left,
                                  std::span<const hash256> joined) {
  auto next = joined.begin();
  for (std::size_t place = 0; place < list.size();) {
    if (!left.contains(list[place])) {
      ++place;
    } else if (next != joined.end()) {
      list[place++] = *next++;
    } else {
      list[place] = list.back();  // which may have left, too, and is looked at next
      list.pop_back();
    }
  }
  list.insert(list.end(), next, joined.end());
  return list;
}

void update_list(block_state& state, list_kind which, const std::set<hash256>& left,
                 std::span<const hash256> joined) {
  if (left.empty() && joined.empty()) return;
  const auto length = length_of(which);
  const auto before = ids_of(state, which, state.chain().*length);
  const auto after = changed_list(before, left, joined);
  SOMA_ASSERT(after.size() + left.size() == before.size() + joined.size(),
              "only what is listed leaves a list");
  write_list(state, which, before, after);
  state.update_chain([&](chain_row& c) { c.*length = after.size(); });
}

std::vector<hash256> read_list(const state_reader& state, list_kind which) {
  const auto length = read_chain(state).*length_of(which);
  std::vector<hash256> all;
  for (std::uint32_t page = 0; all.size() < length; ++page) {
    const auto row = state.find(list_key({which, page}));
    SOMA_ASSERT(row.has_value(), "a list has all of its pages");
    const auto ids = row_traits<list_row>::decode(*row).ids;
    SOMA_ASSERT(!ids.empty(), "no page of a list is empty");
    all.insert(all.end(), ids.begin(), ids.end());
  }
  return all;
}

}  // namespace soma::ledger
