#include "messages/codec/codec_consensus.hpp"

#include "messages/codec/block_id.hpp"
#include "messages/codec/codec_detail.hpp"
#include "messages/codec/codec_peer_blobs.hpp"
#include "messages/schema/consensus.capnp.h"

namespace soma::inline codec {

namespace fields {

constexpr std::size_t seat_bytes = 68;
static_assert(sizeof(signature) == 64);

static std::size_t signed_bytes(const std::vector<signed_transaction>& list) {
  std::size_t size = 0;
  for (const auto& t : list) size += t.body.size() + t.by_sender.size();
  return size;
}

static void put(schema::MemberVote::Builder to, const member_vote& from) {
  to.setStatement(data_of(encode(from.statement)));
  to.setSigner(from.signer.value);
  to.setSignature(data_of(from.by_signer));
}

static void take_statement(reading& in, capnp::Data::Reader from, vote_statement& to) {
  if (auto statement = decode<vote_statement>(view_of(from))) {
    to = *statement;
  } else {
    in.refuse(statement.error());
  }
}

static void take(reading& in, schema::MemberVote::Reader from, member_vote& to) {
  take_statement(in, from.getStatement(), to.statement);
  to.signer = {from.getSigner()};
  in.take(from.getSignature(), to.by_signer);
}

static void put(schema::Certificate::Builder to, const certificate& from) {
  SOMA_ASSERT(from.signatures.size() == from.signers.count(), "a signature for each signer");
  length(from.signatures.size(), max_committee_seats);
  to.setStatement(data_of(encode(from.statement)));
  to.setSigners(data_of(from.signers.layout()));
  if (from.signatures.empty()) return;
  auto row = to.initSignatures(static_cast<unsigned>(from.signatures.size() * 64));
  std::memcpy(row.begin(), from.signatures.data(), row.size());
}

static void take(reading& in, schema::Certificate::Reader from, certificate& to) {
  std::array<std::uint8_t, 16> signers{};
  take_statement(in, from.getStatement(), to.statement);
  in.take(from.getSigners(), signers);
  to.signers = signer_set::from_layout(signers);
  const auto row = from.getSignatures();
  if (to.signers.count() > max_committee_seats) return in.refuse(parse_refusal::list_too_long);
  if (row.size() != to.signers.count() * 64) return in.refuse(parse_refusal::wrong_size);
  to.signatures.resize(to.signers.count());
  if (row.size() > 0) std::memcpy(to.signatures.data(), row.begin(), row.size());
}

static void put_seats(schema::EpochProof::Builder to, const std::vector<committee_seat>& from) {
  SOMA_ASSERT(!from.empty(), "a committee has a member");
  auto row = to.initNextCommittee(length(from.size(), max_committee_seats) * unsigned{seat_bytes});
  auto* at = row.begin();
  for (const auto& seat : from) {
    at = std::ranges::copy(seat.member.value, at).out;
    at = std::ranges::copy(seat.consensus_key, at).out;
    for (int i = 0; i < 4; ++i) *at++ = static_cast<std::uint8_t>(seat.power.value >> (8 * i));
  }
}

static void take_seats(reading& in, byte_view row, std::vector<committee_seat>& to) {
  if (row.empty() || row.size() % seat_bytes != 0) return in.refuse(parse_refusal::wrong_size);
  if (row.size() / seat_bytes > max_committee_seats) {
    return in.refuse(parse_refusal::list_too_long);
  }
  to.resize(row.size() / seat_bytes);
  for (auto& seat : to) {
    std::copy_n(row.begin(), 32, seat.member.value.begin());
    std::copy_n(row.begin() + 32, 32, seat.consensus_key.begin());
    for (std::size_t i = 0; i < 4; ++i) seat.power.value |= std::uint32_t{row[64 + i]} << (8 * i);
    row = row.subspan(seat_bytes);
  }
}

static void put(schema::EpochProof::Builder to, const epoch_proof& from) {
  SOMA_ASSERT(!from.headers.empty(), "an epoch has a closing block");
  bytes headers;
  headers.reserve(length(from.headers.size(), max_proof_headers) * header_layout_bytes);
  for (const auto& header : from.headers) {
    const bytes layout = header_layout(header);
    headers.insert(headers.end(), layout.begin(), layout.end());
  }
  to.setHeaders(data_of(headers));
  put(to.initFinal(), from.final);
  put_seats(to, from.next_committee);
}

static void take(reading& in, schema::EpochProof::Reader from, epoch_proof& to) {
  byte_view row = view_of(from.getHeaders());
  if (row.empty() || row.size() % header_layout_bytes != 0) {
    return in.refuse(parse_refusal::wrong_size);
  }
  if (row.size() / header_layout_bytes > max_proof_headers) {
    return in.refuse(parse_refusal::list_too_long);
  }
  for (; !row.empty(); row = row.subspan(header_layout_bytes)) {
    to.headers.push_back(*decode<block_header>(row.first(header_layout_bytes)));
  }
  take(in, from.getFinal(), to.final);
  take_seats(in, view_of(from.getNextCommittee()), to.next_committee);
}

static void put(schema::Block::Builder to, const block_ptr& from) {
  SOMA_ASSERT(from != nullptr, "a message has its block");
  put(to, from->block);
}

static void take(reading& in, schema::Block::Reader from, block_ptr& to) {
  auto made = std::make_shared<identified_block>();
  take(in, from, made->block);
  if (in.refusal()) return;
  made->id = id_of(made->block.header);
  to = std::move(made);
}

template <class Init, class Element>
static void put_all(Init&& init, const std::vector<Element>& from, std::size_t most) {
  put_list(init, from, most, [](auto entry, const auto& value) { put(entry, value); });
}
template <class List, class Element>
static void take_all(reading& in, const List& from, std::vector<Element>& to, std::size_t most) {
  in.take_list(from, to, most, [&](auto entry, auto& value) { take(in, entry, value); });
}

// ---- the kinds

static void put(schema::PeerMessage::Builder message, const peer::hello& from) {
  auto to = message.initHello();
  to.setChain(data_of(from.chain));
  to.setEpoch(from.epoch.value);
  to.setHeight(from.height.value);
  to.setView(from.view.value);
  to.setLatestEpoch(from.latest_epoch.value);
  to.setAsks(from.asks);
}
static void take(reading& in, schema::PeerHello::Reader from, peer::hello& to) {
  in.take(from.getChain(), to.chain);
  to.epoch.value = from.getEpoch();
  to.height.value = from.getHeight();
  to.view = {from.getView()};
  to.latest_epoch.value = from.getLatestEpoch();
  to.asks = from.getAsks();
}

static void put(schema::PeerMessage::Builder message, const peer::proposal& from) {
  auto to = message.initProposal();
  put(to.initBlock(), from.block);
  if (from.parent) put(to.initParent(), *from.parent);
  put_all([&](unsigned size) { return to.initSkipped(size); }, from.skipped, max_inline_skips);
}
static void take(reading& in, schema::PeerProposal::Reader from, peer::proposal& to) {
  take(in, from.getBlock(), to.block);
  if (from.hasParent()) take(in, from.getParent(), to.parent.emplace());
  take_all(in, from.getSkipped(), to.skipped, max_inline_skips);
}

static void put(schema::PeerMessage::Builder message, const peer::vote& from) {
  put(message.initVote(), from.signed_vote);
}
static void take(reading& in, schema::MemberVote::Reader from, peer::vote& to) {
  take(in, from, to.signed_vote);
}

static void put(schema::PeerMessage::Builder message, const peer::certified& from) {
  put(message.initCertified(), from.certificate);
}
static void take(reading& in, schema::Certificate::Reader from, peer::certified& to) {
  take(in, from, to.certificate);
}

static void put(schema::PeerMessage::Builder message, const peer::standstill& from) {
  auto to = message.initStandstill();
  put_all([&](unsigned size) { return to.initCertificates(size); }, from.certificates,
          max_response_certificates);
  put_all([&](unsigned size) { return to.initVotes(size); }, from.votes, max_standstill_votes);
}
static void take(reading& in, schema::PeerStandstill::Reader from, peer::standstill& to) {
  take_all(in, from.getCertificates(), to.certificates, max_response_certificates);
  take_all(in, from.getVotes(), to.votes, max_standstill_votes);
}

static void put(schema::PeerMessage::Builder message, const peer::request& from) {
  auto to = message.initRequest();
  to.setEpoch(from.epoch.value);
  to.setAfter(from.after.value);
  to.setFromView(from.from_view.value);
  if (!from.want.is_zero()) to.setWant(data_of(from.want));
}
static void take(reading& in, schema::PeerRequest::Reader from, peer::request& to) {
  to.epoch.value = from.getEpoch();
  to.after.value = from.getAfter();
  to.from_view = {from.getFromView()};
  if (from.hasWant()) in.take(from.getWant(), to.want);
}

static void put(schema::PeerMessage::Builder message, const peer::response& from) {
  std::size_t size_bytes = 0;
  for (const auto& block : from.blocks) size_bytes += signed_bytes(block->block.payload);
  SOMA_ASSERT(size_bytes <= max_response_bytes, "blocks within the limit of a response");
  auto to = message.initResponse();
  to.setEpoch(from.epoch.value);
  put_all([&](unsigned size) { return to.initCertificates(size); }, from.certificates,
          max_response_certificates);
  put_all([&](unsigned size) { return to.initBlocks(size); }, from.blocks, max_response_blocks);
  if (from.final) put(to.initFinal(), *from.final);
  if (from.epoch_end) put(to.initEpochEnd(), *from.epoch_end);
}
static void take(reading& in, schema::PeerResponse::Reader from, peer::response& to) {
  to.epoch.value = from.getEpoch();
  take_all(in, from.getCertificates(), to.certificates, max_response_certificates);
  take_all(in, from.getBlocks(), to.blocks, max_response_blocks);
  if (from.hasFinal()) take(in, from.getFinal(), to.final.emplace());
  if (from.hasEpochEnd()) take(in, from.getEpochEnd(), to.epoch_end.emplace());
  if (in.refusal()) return;
  std::size_t size_bytes = 0;
  for (const auto& block : to.blocks) size_bytes += signed_bytes(block->block.payload);
  in.refuse_if(size_bytes > max_response_bytes, parse_refusal::list_too_long);
}

static void put(schema::PeerMessage::Builder message, const peer::epoch_over& from) {
  auto to = message.initEpochOver();
  to.setEpoch(from.epoch.value);
  put(to.initProof(), from.proof);
}
static void take(reading& in, schema::PeerEpochOver::Reader from, peer::epoch_over& to) {
  to.epoch.value = from.getEpoch();
  take(in, from.getProof(), to.proof);
}

static void put(schema::PeerMessage::Builder message, const peer::transactions& from) {
  SOMA_ASSERT(signed_bytes(from.list) <= max_batch_bytes, "a batch within its limit");
  auto to = message.initTransactions();
  put_all([&](unsigned size) { return to.initList(size); }, from.list, max_block_transactions);
}
static void take(reading& in, schema::PeerTransactions::Reader from, peer::transactions& to) {
  take_all(in, from.getList(), to.list, max_block_transactions);
  in.refuse_if(signed_bytes(to.list) > max_batch_bytes, parse_refusal::list_too_long);
}

static void put(schema::PeerMessage::Builder message, const peer::ask_state& from) {
  auto to = message.initAskState();
  to.setEpoch(from.epoch.value);
  to.setHeight(from.height.value);
  to.setChunk(from.chunk);
  to.setFrom(from.from);
}
static void take(reading&, schema::PeerAskState::Reader from, peer::ask_state& to) {
  to.epoch.value = from.getEpoch();
  to.height.value = from.getHeight();
  to.chunk = from.getChunk();
  to.from = from.getFrom();
}

static void put(schema::PeerMessage::Builder message, const peer::state_part& from) {
  auto to = message.initStatePart();
  to.setEpoch(from.epoch.value);
  if (from.end) put(to.initEnd(), *from.end);
  to.setHeight(from.height.value);
  to.setChunks(from.chunks);
  to.setChunk(from.chunk);
  to.setFrom(from.from);
  to.setChunkBytes(from.chunk_bytes);
  (void)length(from.data.size(), max_state_data_bytes);
  if (!from.data.empty()) to.setData(data_of(from.data));
  to.setLater(from.later);
}
static void take(reading& in, schema::PeerStatePart::Reader from, peer::state_part& to) {
  to.epoch.value = from.getEpoch();
  if (from.hasEnd()) take(in, from.getEnd(), to.end.emplace());
  to.height.value = from.getHeight();
  to.chunks = from.getChunks();
  to.chunk = from.getChunk();
  to.from = from.getFrom();
  to.chunk_bytes = from.getChunkBytes();
  in.take(from.getData(), to.data, max_state_data_bytes);
  to.later = from.getLater();
}

static void put(schema::PeerMessage::Builder to, const peer_message& from) {
  std::visit([&](const auto& kind) { put(to, kind); }, from);
}

static void take(reading& in, schema::PeerMessage::Reader from, peer_message& to) {
  switch (from.which()) {
    case schema::PeerMessage::HELLO:
      return take(in, from.getHello(), to.emplace<peer::hello>());
    case schema::PeerMessage::PROPOSAL:
      return take(in, from.getProposal(), to.emplace<peer::proposal>());
    case schema::PeerMessage::VOTE:
      return take(in, from.getVote(), to.emplace<peer::vote>());
    case schema::PeerMessage::CERTIFIED:
      return take(in, from.getCertified(), to.emplace<peer::certified>());
    case schema::PeerMessage::STANDSTILL:
      return take(in, from.getStandstill(), to.emplace<peer::standstill>());
    case schema::PeerMessage::REQUEST:
      return take(in, from.getRequest(), to.emplace<peer::request>());
    case schema::PeerMessage::RESPONSE:
      return take(in, from.getResponse(), to.emplace<peer::response>());
    case schema::PeerMessage::EPOCH_OVER:
      return take(in, from.getEpochOver(), to.emplace<peer::epoch_over>());
    case schema::PeerMessage::TRANSACTIONS:
      return take(in, from.getTransactions(), to.emplace<peer::transactions>());
    case schema::PeerMessage::ASK_STATE:
      return take(in, from.getAskState(), to.emplace<peer::ask_state>());
    case schema::PeerMessage::STATE_PART:
      return take(in, from.getStatePart(), to.emplace<peer::state_part>());
    case schema::PeerMessage::SEEK:
      return take(in, from.getSeek(), to.emplace<peer::seek>());
    case schema::PeerMessage::HAVE:
      return take(in, from.getHave(), to.emplace<peer::have>());
    case schema::PeerMessage::GET:
      return take(in, from.getGet(), to.emplace<peer::get>());
    case schema::PeerMessage::PART:
      return take(in, from.getPart(), to.emplace<peer::part>());
  }
  in.refuse(parse_refusal::unknown_union_member);
}

constexpr std::size_t kib = 1'024;
constexpr std::array<std::size_t, peer_message_kinds> size_limits{
    8 * kib,     1'280 * kib, 512,       16 * kib, 2'048 * kib, 512, 3'072 * kib, 128 * kib,
    1'024 * kib, 512,         640 * kib, 4 * kib,  4 * kib,     512, 1'088 * kib};
constexpr std::size_t max_message = *std::ranges::max_element(size_limits);

}  // namespace fields

std::size_t max_peer_message_bytes(std::size_t kind) {
  SOMA_ASSERT(kind < fields::size_limits.size(), "a kind of peer message");
  return fields::size_limits[kind];
}

bytes encode(const peer_message& value) {
  return fields::encode_as<schema::PeerMessage>(
      value, max_peer_message_bytes(value.index()),
      [](auto to, const peer_message& from) { fields::put(to, from); });
}

namespace {

/// `announced` is the type of a frame; nullopt takes a message of any kind.
expected<peer_message, parse_refusal> decode_message(byte_view data,
                                                     std::optional<std::uint16_t> announced) {
  return fields::decode_as<schema::PeerMessage, peer_message>(
      data, fields::max_message, fields::origin::foreign,
      [](auto to, const peer_message& from) { fields::put(to, from); },
      [&](fields::reading& in, schema::PeerMessage::Reader from, peer_message& to) {
        const auto kind = static_cast<std::size_t>(from.which());
        if (kind >= peer_message_kinds || data.size() > max_peer_message_bytes(kind)) {
          return in.refuse(parse_refusal::too_large);
        }
        if (announced && *announced != kind + 1) return in.refuse(parse_refusal::another_kind);
        fields::take(in, from, to);
      });
}

}  // namespace

template <>
expected<peer_message, parse_refusal> decode<peer_message>(byte_view data) {
  return decode_message(data, std::nullopt);
}

std::optional<std::uint32_t> max_frame_bytes(std::uint16_t type) {
  if (type < 1 || type > peer_message_kinds) return std::nullopt;
  return static_cast<std::uint32_t>(max_peer_message_bytes(type - 1U));
}

expected<peer_message, parse_refusal> decode_frame(std::uint16_t type, byte_view payload) {
  return decode_message(payload, type);
}

SOMA_CODEC_OF(member_vote, MemberVote, 512)
SOMA_CODEC_OF(certificate, Certificate, 16 * fields::kib)
SOMA_CODEC_OF(epoch_proof, EpochProof, 128 * fields::kib)

}  // namespace soma::inline codec
