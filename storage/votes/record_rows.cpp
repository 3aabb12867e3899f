#include "storage/votes/record_rows.hpp"

#include "messages/codec/codec_consensus.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"
#include "storage/tables/keys.hpp"
#include "storage/votes/numbers.hpp"

namespace soma::votes {
namespace {

constexpr std::size_t head_bytes = 153;
constexpr std::string_view tag = "soma.votes";

row_name name_of(char table, view_number view) {
  return row_called(table, tables::ordered_key().add(view).view());
}
row_name name_of(char table, const voting_record::view_and_kind& at) {
  row_name name = name_of(table, at.first);
  name.push_back(static_cast<std::uint8_t>(at.second));
  return name;
}
row_name name_of(const block_id& block) {
  return row_called('b', block.view());
}

bytes copy(byte_view data) {
  return {data.begin(), data.end()};
}

std::optional<voting_record::view_and_kind> place_in(byte_view key) {
  if (key.size() != 9 || key[8] < 1 || key[8] > 3) return std::nullopt;
  return voting_record::view_and_kind{tables::big_endian(key.first(8)),
                                      static_cast<vote_kind>(key[8])};
}

bool take_vote(voting_record& into, byte_view key, byte_view value) {
  const auto place = place_in(key);
  const auto block = block_id::from(value);
  return place && block && into.votes.emplace(*place, *block).second;
}

bool take_certificate(voting_record& into, byte_view key, byte_view value) {
  const auto place = place_in(key);
  auto proof = decode_own<certificate>(value);
  if (!place || !proof ||
      *place != voting_record::view_and_kind{proof->statement.view, proof->statement.kind}) {
    return false;
  }
  return into.certificates.emplace(*place, std::move(*proof)).second;
}

bool take_block(voting_record& into, byte_view key, byte_view value) {
  const auto id = block_id::from(key);
  auto content = decode_own<block>(value);
  if (!id || !content || signing::id_of(content->header) != *id) return false;
  auto made = std::make_shared<const identified_block>(identified_block{*id, std::move(*content)});
  return into.blocks.emplace(*id, std::move(made)).second;
}

}  // namespace

row_name row_called(char table, byte_view key) {
  row_name name(1 + key.size());
  name[0] = static_cast<std::uint8_t>(table);
  std::copy(key.begin(), key.end(), name.begin() + 1);
  return name;
}

row_changes changes_of(const voting_record& now, const record_batch& batch) {
  row_changes changes;
  const auto goes = [&](view_number view) { return batch.new_epoch || view <= batch.prune_to; };
  for (const auto& [at, block] : now.votes) {
    if (goes(at.first)) changes[name_of('v', at)] = std::nullopt;
  }
  for (const auto& [view, block] : now.proposed) {
    if (goes(view)) changes[name_of('p', view)] = std::nullopt;
  }
  for (const auto& [at, proof] : now.certificates) {
    if (goes(at.first)) changes[name_of('c', at)] = std::nullopt;
  }
  for (const auto& [id, block] : now.blocks) {
    if (goes(block->block.header.view)) changes[name_of(id)] = std::nullopt;
  }
  for (const auto& vote : batch.votes) {
    changes[name_of('v', {vote.view, vote.kind})] = copy(vote.block.view());
  }
  for (const auto& [view, block] : batch.proposed) changes[name_of('p', view)] = copy(block.view());
  for (const auto& proof : batch.certificates) {
    changes[name_of('c', {proof.statement.view, proof.statement.kind})] = encode(proof);
  }
  for (const auto& block : batch.blocks) changes[name_of(block->id)] = encode(block->block);
  return changes;
}

bool take_row(voting_record& into, byte_view name, byte_view value) {
  const auto key = name.subspan(1);
  switch (name[0]) {
    case 'v':
      return take_vote(into, key, value);
    case 'p': {
      const auto block = block_id::from(value);
      return key.size() == 8 && block &&
             into.proposed.emplace(tables::big_endian(key), *block).second;
    }
    case 'c':
      return take_certificate(into, key, value);
    default:
      return take_block(into, key, value);
  }
}

hash256 row_hash(byte_view name, byte_view value) {
  crypto::tagged_hash row(tag);
  row.add_u8(name[0]).add_u8(static_cast<std::uint8_t>(name.size() - 1));
  return row.add(name.subspan(1)).add(value).finish();
}

content_sum::content_sum(const hash256& value) {
  for (std::size_t i = 0; i < 4; ++i) limbs_[i] = little(value.view().subspan(8 * i, 8));
}

void content_sum::add(const hash256& row) {
  std::uint64_t carry = 0;
  const content_sum other(row);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto sum = static_cast<unsigned __int128>(limbs_[i]) + other.limbs_[i] + carry;
    limbs_[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64);
  }
}

void content_sum::remove(const hash256& row) {
  hash256 negative = row;  // made the complement here; one is added below
  for (auto& byte : negative.value) byte = static_cast<std::uint8_t>(~byte);
  add(negative);
  hash256 one;
  one.value[0] = 1;
  add(one);
}

hash256 content_sum::value() const {
  bytes all;
  for (const auto limb : limbs_) append_little(all, limb, 8);
  return *hash256::from(all);
}

bytes head::layout() const {
  bytes all;
  append_little(all, sequence, 8);
  append_little(all, replaces_lost ? 1 : 0, 1);
  const auto add = [&](byte_view data) { all.insert(all.end(), data.begin(), data.end()); };
  add(chain.view());
  add(key);
  append_little(all, votes_from.value, 8);
  append_little(all, epoch.value, 8);
  add(content.view());
  add(before.view());
  return all;
}

hash256 head::hash() const {
  return crypto::hash(tag, layout());
}

std::optional<head> head::parse(byte_view layout) {
  if (layout.size() != head_bytes) return std::nullopt;
  head made;
  made.sequence = little(layout.first(8));
  made.replaces_lost = (layout[8] & 1) != 0;
  made.chain = *chain_id::from(layout.subspan(9, 32));
  std::copy_n(layout.begin() + 41, 32, made.key.begin());
  made.votes_from.value = little(layout.subspan(73, 8));
  made.epoch.value = little(layout.subspan(81, 8));
  made.content = *hash256::from(layout.subspan(89, 32));
  made.before = *hash256::from(layout.subspan(121, 32));
  return made;
}

}  // namespace soma::votes
