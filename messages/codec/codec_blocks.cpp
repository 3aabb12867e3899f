// Blocks, their headers and events.
#include "messages/codec/codec_detail.hpp"
#include "messages/schema/events.capnp.h"

namespace soma::inline codec {

namespace {

/// Writes or reads the fields of a header in the order of its layout.
class layout_writer {
 public:
  explicit layout_writer(std::size_t size) { out_.reserve(size); }
  template <class Integer>
  void number(const Integer& value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      out_.push_back(static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i)));
    }
  }
  template <class Tag>
  void id(const id32<Tag>& value) {
    out_.insert(out_.end(), value.value.begin(), value.value.end());
  }
  [[nodiscard]] bytes take() { return std::move(out_); }

 private:
  bytes out_;
};

class layout_reader {
 public:
  explicit layout_reader(byte_view data) : left_(data) {}
  template <class Integer>
  void number(Integer& value) {
    std::uint64_t read = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) read |= std::uint64_t{left_[i]} << (8 * i);
    value = static_cast<Integer>(read);
    left_ = left_.subspan(sizeof value);
  }
  template <class Tag>
  void id(id32<Tag>& value) {
    std::copy_n(left_.begin(), 32, value.value.begin());
    left_ = left_.subspan(32);
  }

 private:
  byte_view left_;
};

template <class Layout, class Header>
void visit_header(Layout& layout, Header& header) {
  layout.number(header.version);
  layout.id(header.chain);
  layout.number(header.epoch.value);
  layout.number(header.view.value);
  layout.number(header.height.value);
  layout.number(header.parent_view.value);
  layout.id(header.parent);
  layout.id(header.payload_root);
  layout.number(header.payload_bytes);
  layout.number(header.transactions);
  layout.id(header.state_root);
  layout.number(header.time_ms);
  layout.number(header.proposer.value);
  layout.number(header.flags);
  layout.id(header.next_committee);
  layout.id(header.peel);
}

}  // namespace

bytes header_layout(const block_header& header) {
  layout_writer layout(header_layout_bytes);
  visit_header(layout, header);
  bytes made = layout.take();
  SOMA_ASSERT(made.size() == header_layout_bytes, "the layout has one size");
  return made;
}

bytes encode(const block_header& header) {
  return header_layout(header);
}

template <>
expected<block_header, parse_refusal> decode<block_header>(byte_view data) {
  if (data.size() != header_layout_bytes) return make_unexpected(parse_refusal::wrong_size);
  layout_reader layout(data);
  block_header header;
  visit_header(layout, header);
  return header;
}
template <>
expected<block_header, parse_refusal> decode_own<block_header>(byte_view data) {
  return decode<block_header>(data);
}

bytes encode(const vote_statement& vote) {
  layout_writer layout(vote_layout_bytes);
  layout.number(static_cast<std::uint8_t>(vote.kind));
  layout.number(vote.epoch.value);
  layout.number(vote.view.value);
  layout.id(vote.block);
  return layout.take();
}

template <>
expected<vote_statement, parse_refusal> decode<vote_statement>(byte_view data) {
  if (data.size() != vote_layout_bytes) return make_unexpected(parse_refusal::wrong_size);
  layout_reader layout(data);
  std::uint8_t kind = 0;
  vote_statement vote;
  layout.number(kind);
  layout.number(vote.epoch.value);
  layout.number(vote.view.value);
  layout.id(vote.block);
  if (kind < 1 || kind > 3) return make_unexpected(parse_refusal::unknown_enum_value);
  vote.kind = static_cast<vote_kind>(kind);
  return vote;
}
template <>
expected<vote_statement, parse_refusal> decode_own<vote_statement>(byte_view data) {
  return decode<vote_statement>(data);
}

namespace fields {

static_assert(static_cast<int>(schema::EventKind::EMISSION_RETURNED) ==
              static_cast<int>(event_kind::emission_returned));

static std::size_t payload_size(const std::vector<signed_transaction>& payload) {
  std::size_t size = 0;
  for (const auto& transaction : payload) size += transaction.body.size();
  return size;
}

void put(schema::Block::Builder to, const block& from) {
  SOMA_ASSERT(payload_size(from.payload) <= max_block_payload_bytes, "a payload within its limit");
  to.setHeader(data_of(header_layout(from.header)));
  to.setByProposer(data_of(from.by_proposer));
  put_list([&](unsigned size) { return to.initPayload(size); }, from.payload,
           max_block_transactions, [](auto entry, const auto& value) { put(entry, value); });
  if (!from.parent_signers.empty()) to.setParentSigners(data_of(from.parent_signers.layout()));
}
void take(reading& in, schema::Block::Reader from, block& to) {
  if (auto header = decode<block_header>(view_of(from.getHeader()))) {
    to.header = *header;
  } else {
    in.refuse(header.error());
  }
  in.take(from.getByProposer(), to.by_proposer);
  in.take_list(from.getPayload(), to.payload, max_block_transactions,
               [&](auto entry, auto& value) { take(in, entry, value); });
  if (from.hasParentSigners()) {
    std::array<std::uint8_t, 16> signers{};
    in.take(from.getParentSigners(), signers);
    to.parent_signers = signer_set::from_layout(signers);
    in.refuse_if(to.parent_signers.empty(), parse_refusal::not_canonical);
  }
  in.refuse_if(payload_size(to.payload) > max_block_payload_bytes, parse_refusal::list_too_long);
}

static void put(schema::Event::Builder to, const event& from) {
  to.setKind(same_enum<schema::EventKind>(from.kind));
  to.setHeight(from.height.value);
  to.setEpoch(from.epoch.value);
  to.setTransaction(data_of(from.transaction));
  to.setTarget(data_of(from.target));
  put(to.initModel(), from.model);
  to.setAccount(data_of(from.account));
  to.setAmount(from.amount.value);
  to.setRefusal(from.refusal);
  to.setOther(data_of(from.other));
  to.setDetail(from.detail);
  to.setAuditsDue(from.audits_due);
}
static void take(reading& in, schema::Event::Reader from, event& to) {
  to.kind = same_enum<event_kind>(from.getKind());
  to.height.value = from.getHeight();
  to.epoch.value = from.getEpoch();
  in.take(from.getTransaction(), to.transaction);
  in.take(from.getTarget(), to.target);
  take(in, from.getModel(), to.model);
  in.take(from.getAccount(), to.account);
  to.amount.value = from.getAmount();
  to.refusal = from.getRefusal();
  in.take(from.getOther(), to.other);
  to.detail = from.getDetail();
  to.audits_due = from.getAuditsDue();
}

}  // namespace fields

SOMA_CODEC_OF(block, Block, std::size_t{1} << 20)
SOMA_CODEC_OF(event, Event, 1'024)

}  // namespace soma::inline codec
