#include "storage/tables/event_table.hpp"

#include <algorithm>
#include <array>

#include "storage/tables/keys.hpp"
#include "storage/tables/stored.hpp"

namespace soma::tables {

event_table::event_table(const lmdb::environment& env)
    : events_(env.table(name)),
      by_target_(env.table(by_target_name)),
      by_model_(env.table(by_model_name)),
      by_account_(env.table(by_account_name)) {}

namespace {

constexpr std::size_t place_bytes = 12;
/// The key of an event.
using event_place = std::array<std::uint8_t, place_bytes>;
enum link : std::uint8_t { to_target, to_model, to_account, to_other };
using event_links = std::array<std::optional<event_place>, 4>;

event_place place_at(block_height height, std::uint32_t index) {
  ordered_key key;
  key.add(height).add_u32(index);
  event_place made{};
  std::ranges::copy(key.view(), made.begin());
  return made;
}

event_position position_of(byte_view key) {
  return {{big_endian(key.first(8))}, static_cast<std::uint32_t>(big_endian(key.subspan(8)))};
}

/// For one kind of id: which events of one block name which id.
class named_in_block {
 public:
  template <class Tag>
  void add(const id32<Tag>& id, std::uint32_t index, link which) {
    if (!id.is_zero()) names_.push_back({hash256{id.value}, index, which});
  }
  /// Sets the links of the events. To be called once, before write().
  void set_links(const lmdb::read_txn& txn, lmdb::database table, block_height height,
                 std::vector<event_links>& links) {
    std::ranges::sort(names_);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const auto& now = names_[i];
      auto& link = links[now.index][now.which];
      if (i == 0 || names_[i - 1].id != now.id) {
        const auto found = txn.find(table, now.id.view());
        if (!found || found->size() != place_bytes) continue;
        std::ranges::copy(*found, link.emplace().begin());
      } else if (names_[i - 1].index != now.index) {
        link = place_at(height, names_[i - 1].index);
      }
    }
  }
  /// Writes the latest event of each id, in the order of ids.
  void write(lmdb::write_txn& txn, lmdb::database table, block_height height) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (i + 1 < names_.size() && names_[i + 1].id == names_[i].id) continue;
      txn.put(table, names_[i].id.view(), place_at(height, names_[i].index));
    }
  }

 private:
  struct name {
    hash256 id;
    std::uint32_t index = 0;
    link which{};
    friend auto operator<=>(const name&, const name&) = default;
  };
  std::vector<name> names_;
};

bytes stored_form(const event_links& links, const event& happened) {
  bytes made{0};
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (!links[i]) continue;
    made[0] = static_cast<std::uint8_t>(made[0] | 1u << i);
    made.insert(made.end(), links[i]->begin(), links[i]->end());
  }
  const auto content = encode(happened);
  made.insert(made.end(), content.begin(), content.end());
  return made;
}

struct stored_event {
  event_links links;
  event content;
};

stored_event read_stored(lmdb::database table, byte_view key, byte_view stored) {
  const auto fail = [&]() -> void {
    throw lmdb::failure(lmdb::failure_code::corrupt_record, "an event is shorter than its links",
                        std::string(table.name()), bytes(key.begin(), key.end()));
  };
  stored_event read;
  if (stored.empty()) fail();
  const auto which = stored[0];
  auto rest = stored.subspan(1);
  for (std::size_t i = 0; i < read.links.size(); ++i) {
    if ((which >> i & 1) == 0) continue;
    if (rest.size() < place_bytes) fail();
    std::ranges::copy(rest.first(place_bytes), read.links[i].emplace().begin());
    rest = rest.subspan(place_bytes);
  }
  read.content = decode_stored<event>(table, key, rest);
  return read;
}

/// The link of an event that leads to the one before it for this id.
std::optional<event_place> link_for(const stored_event& from, lmdb::database index, byte_view id) {
  const auto is_it = [&](byte_view named) { return std::ranges::equal(named, id); };
  if (index.name() == event_table::by_target_name) return from.links[to_target];
  if (index.name() == event_table::by_model_name) return from.links[to_model];
  return from.links[is_it(from.content.account.view()) ? to_account : to_other];
}

}  // namespace

void event_table::append(lmdb::write_txn& txn, block_height height,
                         std::span<const event> events) const {
  if (events.empty()) return;
  named_in_block targets, models, accounts;
  for (std::uint32_t index = 0; index < events.size(); ++index) {
    const event& happened = events[index];
    targets.add(happened.target, index, to_target);
    models.add(happened.model.model, index, to_model);
    accounts.add(happened.account, index, to_account);
    accounts.add(happened.other, index, to_other);
  }
  std::vector<event_links> links(events.size());
  targets.set_links(txn, by_target_, height, links);
  models.set_links(txn, by_model_, height, links);
  accounts.set_links(txn, by_account_, height, links);
  for (std::uint32_t index = 0; index < events.size(); ++index) {
    txn.append(events_, place_at(height, index), stored_form(links[index], events[index]));
  }
  targets.write(txn, by_target_, height);
  models.write(txn, by_model_, height);
  accounts.write(txn, by_account_, height);
}

std::vector<event> event_table::at(const lmdb::read_txn& txn, block_height height) const {
  std::vector<event> found;
  visit(txn, height, height, [&](const event& happened) {
    found.push_back(happened);
    return true;
  });
  return found;
}

void event_table::visit(const lmdb::read_txn& txn, block_height first, block_height last,
                        const event_visitor& visit) const {
  ordered_key start;
  start.add(first);
  lmdb::cursor at(txn, events_);
  for (bool there = at.at_least(start.view()); there; there = at.next()) {
    if (big_endian(at.key().first(8)) > last.value) return;
    if (!visit(read_stored(events_, at.key(), at.value()).content)) return;
  }
}

void event_table::visit_from(const lmdb::read_txn& txn, const event_position& first,
                             const placed_event_visitor& visit) const {
  ordered_key start;
  start.add(first.height).add_u32(first.index);
  lmdb::cursor at(txn, events_);
  for (bool there = at.at_least(start.view()); there; there = at.next()) {
    const auto found = read_stored(events_, at.key(), at.value());
    if (!visit(position_of(at.key()), found.content)) return;
  }
}

void event_table::visit_latest(const lmdb::read_txn& txn, lmdb::database index, byte_view id,
                               const placed_event_visitor& visit) const {
  const auto fail = [&](const char* why) {
    throw lmdb::failure(lmdb::failure_code::corrupt_record, why, std::string(index.name()),
                        bytes(id.begin(), id.end()));
  };
  const auto latest = txn.find(index, id);
  if (!latest) return;
  if (latest->size() != place_bytes) fail("a record of an index is no place");
  bytes next(latest->begin(), latest->end());
  for (;;) {
    const auto stored = txn.find(events_, next);
    if (!stored) fail("an index names no event");
    const auto found = read_stored(events_, next, *stored);
    if (!visit(position_of(next), found.content)) return;
    const auto before = link_for(found, index, id);
    if (!before) return;
    // A list that does not descend would have no end.
    if (!std::ranges::lexicographical_compare(*before, next)) fail("the events of an id turn back");
    next.assign(before->begin(), before->end());
  }
}

void event_table::visit_back(const lmdb::read_txn& txn, const target_id& id,
                             const placed_event_visitor& visit) const {
  visit_latest(txn, by_target_, id.view(), visit);
}

void event_table::visit_back(const lmdb::read_txn& txn, const model_id& id,
                             const placed_event_visitor& visit) const {
  visit_latest(txn, by_model_, id.view(), visit);
}

void event_table::visit_back(const lmdb::read_txn& txn, const address& id,
                             const placed_event_visitor& visit) const {
  visit_latest(txn, by_account_, id.view(), visit);
}

}  // namespace soma::tables
