// Messages between validators, generated from a seed.
#pragma once

#include <algorithm>

#include "messages/codec/codec_consensus.hpp"
#include "messages/signing/signing.hpp"
#include "tests/messages/codec/samples.hpp"

namespace soma::test {

[[nodiscard]] inline block_ptr named(block content) {
  const auto id = signing::id_of(content.header);
  return std::make_shared<const identified_block>(identified_block{id, std::move(content)});
}

template <>
inline member_vote sample<member_vote>(std::uint64_t seed) {
  sampler s(seed);
  member_vote v;
  v.statement = sample<vote_statement>(seed + 1);
  s.all(v.signer, v.by_signer);
  return v;
}
template <>
inline certificate sample<certificate>(std::uint64_t seed) {
  sampler s(seed);
  certificate v;
  v.statement = sample<vote_statement>(seed + 1);
  v.signers = s.signers(static_cast<std::uint16_t>(s.below(max_committee_seats + 1)));
  v.signatures.resize(v.signers.count());
  for (auto& each : v.signatures) s.fill(each);
  return v;
}
template <>
inline epoch_proof sample<epoch_proof>(std::uint64_t seed) {
  sampler s(seed);
  epoch_proof v;
  for (std::uint64_t i = 0; i <= s.below(4); ++i) {
    v.headers.push_back(sample<block_header>(seed * 10 + i));
  }
  v.final = sample<certificate>(seed + 2);
  for (std::uint64_t i = 0; i <= s.below(5); ++i) {
    auto& seat = v.next_committee.emplace_back();
    s.all(seat.member, seat.consensus_key, seat.power);
  }
  return v;
}

/// At most `most` values, of consecutive seeds.
template <class X>
[[nodiscard]] std::vector<X> some(sampler& s, std::uint64_t seed, std::uint64_t most) {
  std::vector<X> all;
  for (std::uint64_t i = s.below(most + 1); i > 0; --i) all.push_back(sample<X>(seed * 100 + i));
  return all;
}

/// A message about blobs.
[[nodiscard]] inline peer_message sample_blob_message(sampler& s, std::size_t kind) {
  peer::blob_part which;
  s.all(which.blob, which.number);
  which.of_list = s.coin();
  switch (kind) {
    case 11: {
      peer::seek v{std::vector<blob_id>(1 + s.below(max_seek_blobs))};
      for (auto& each : v.blobs) s.fill(each);
      return v;
    }
    case 12: {
      peer::have v{std::vector<peer::have::entry>(1 + s.below(max_seek_blobs))};
      for (auto& each : v.blobs) {
        s.fill(each.blob);
        each.size_bytes = 1 + s.below(max_exchanged_blob_bytes);
      }
      return v;
    }
    case 13:
      return peer::get{which};
    default: {
      peer::part v{which, {}, s.coin()};
      if (!v.later) v.data.resize(s.below(200));
      for (auto& each : v.data) s.fill(each);
      return v;
    }
  }
}

[[nodiscard]] inline peer_message sample_message(std::uint64_t seed, std::size_t kind) {
  sampler s(seed);
  switch (kind) {
    case 0: {
      peer::hello v;
      s.all(v.chain, v.epoch, v.height, v.view, v.latest_epoch);
      v.asks = s.coin();
      return v;
    }
    case 1: {
      peer::proposal v{named(sample<block>(seed)), {}, some<certificate>(s, seed, 3)};
      if (s.coin()) v.parent = sample<certificate>(seed + 3);
      return v;
    }
    case 2:
      return peer::vote{sample<member_vote>(seed)};
    case 3:
      return peer::certified{sample<certificate>(seed)};
    case 4:
      return peer::standstill{some<certificate>(s, seed, 3), some<member_vote>(s, seed + 1, 4)};
    case 5: {
      peer::request v;
      s.all(v.epoch, v.after, v.from_view, v.want);
      return v;
    }
    case 6: {
      peer::response v;
      s.all(v.epoch);
      v.certificates = some<certificate>(s, seed, 3);
      for (std::uint64_t i = s.below(4); i > 0; --i) {
        v.blocks.push_back(named(sample<block>(seed * 7 + i)));
      }
      if (s.coin()) v.final = sample<certificate>(seed + 4);
      if (s.coin()) v.epoch_end = sample<epoch_proof>(seed + 5);
      return v;
    }
    case 7: {
      peer::epoch_over v;
      s.all(v.epoch);
      v.proof = sample<epoch_proof>(seed + 1);
      return v;
    }
    case 8:
      return peer::transactions{some<signed_transaction>(s, seed, 5)};
    case 9: {
      peer::ask_state v;
      s.all(v.epoch, v.height, v.chunk, v.from);
      return v;
    }
    case 10: {
      peer::state_part v;
      s.all(v.epoch, v.height, v.chunks, v.chunk, v.from, v.chunk_bytes);
      if (s.coin()) v.end = sample<epoch_proof>(seed + 6);
      v.later = s.coin();
      v.data.resize(s.below(200));
      for (auto& each : v.data) s.fill(each);
      return v;
    }
    default:
      return sample_blob_message(s, kind);
  }
}

}  // namespace soma::test
