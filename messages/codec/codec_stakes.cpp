// Rows of stakes, the committee and the agenda.
#include "messages/codec/codec_detail.hpp"
#include "messages/schema/ledger.capnp.h"

namespace soma::inline codec {
namespace fields {

static void put(schema::CommitteeRow::Builder to, const committee_row& from) {
  put_list([&](unsigned size) { return to.initSeats(size); }, from.seats, max_committee,
           [](auto seat, const committee_seat& value) {
             seat.setMember(data_of(value.member));
             seat.setConsensusKey(data_of(value.consensus_key));
             seat.setPower(value.power.value);
             seat.setBlocksSigned(value.blocks_signed);
             seat.setAuditsCast(value.audits_cast);
             seat.setAuditsDue(value.audits_due);
           });
}
static void take(reading& in, schema::CommitteeRow::Reader from, committee_row& to) {
  in.take_list(from.getSeats(), to.seats, max_committee, [&](auto seat, committee_seat& value) {
    in.take(seat.getMember(), value.member);
    in.take(seat.getConsensusKey(), value.consensus_key);
    value.power = {seat.getPower()};
    value.blocks_signed = seat.getBlocksSigned();
    value.audits_cast = seat.getAuditsCast();
    value.audits_due = seat.getAuditsDue();
  });
}

static void put(schema::StakeRow::Builder to, const stake_row& from) {
  to.setShares(from.shares);
  to.setJoining(from.joining.value);
  to.setLeavingShares(from.leaving_shares);
  put_list([&](unsigned size) { return to.initUnbonding(size); }, from.unbonding, max_unbonding,
           [](auto part, const unbonding_amount& value) {
             part.setAmount(value.amount.value);
             part.setPayableIn(value.payable_in.value);
           });
}
static void take(reading& in, schema::StakeRow::Reader from, stake_row& to) {
  to.shares = from.getShares();
  to.joining.value = from.getJoining();
  to.leaving_shares = from.getLeavingShares();
  in.take_list(from.getUnbonding(), to.unbonding, max_unbonding,
               [](auto part, unbonding_amount& value) {
                 value.amount.value = part.getAmount();
                 value.payable_in.value = part.getPayableIn();
               });
}

static void put(schema::AgendaRow::Builder to, const agenda_row& from) {
  to.setHeight(from.height.value);
}
static void take(reading&, schema::AgendaRow::Reader from, agenda_row& to) {
  to.height.value = from.getHeight();
}

static void put(schema::ConsensusKeyRow::Builder to, const consensus_key_row& from) {
  to.setValidator(data_of(from.validator));
  to.setLastSeat(from.last_seat.value);
  to.setSeatHistory(from.seat_history);
}
static void take(reading& in, schema::ConsensusKeyRow::Reader from, consensus_key_row& to) {
  in.take(from.getValidator(), to.validator);
  to.last_seat.value = from.getLastSeat();
  to.seat_history = from.getSeatHistory();
}

static void put(schema::EvidenceRow::Builder to, const evidence_row& from) {
  to.setHeight(from.height.value);
}
static void take(reading&, schema::EvidenceRow::Reader from, evidence_row& to) {
  to.height.value = from.getHeight();
}

static void put(schema::OnionRow::Builder to, const onion_row& from) {
  to.setLayer(data_of(from.layer));
  to.setNumber(from.number);
  to.setNextLayer(data_of(from.next_layer));
  to.setNextNumber(from.next_number);
  to.setNextFrom(from.next_from.value);
}
static void take(reading& in, schema::OnionRow::Reader from, onion_row& to) {
  in.take(from.getLayer(), to.layer);
  to.number = from.getNumber();
  in.take(from.getNextLayer(), to.next_layer);
  to.next_number = from.getNextNumber();
  to.next_from.value = from.getNextFrom();
}

static void put(schema::ListRow::Builder to, const list_row& from) {
  if (from.ids.empty()) return;
  auto ids = to.initIds(32 * length(from.ids.size(), list_page_ids));
  auto* at = ids.begin();
  for (const auto& id : from.ids) at = std::copy(id.value.begin(), id.value.end(), at);
}
static void take(reading& in, schema::ListRow::Reader from, list_row& to) {
  const auto ids = view_of(from.getIds());
  if (ids.size() % 32 != 0) return in.refuse(parse_refusal::wrong_size);
  if (ids.size() > 32 * list_page_ids) return in.refuse(parse_refusal::list_too_long);
  to.ids.resize(ids.size() / 32);
  for (std::size_t i = 0; i < to.ids.size(); ++i)
    to.ids[i] = *hash256::from(ids.subspan(32 * i, 32));
}

}  // namespace fields

SOMA_CODEC_OF(committee_row, CommitteeRow, 16'384)
SOMA_CODEC_OF(stake_row, StakeRow, 1'024)
SOMA_CODEC_OF(agenda_row, AgendaRow, 1'024)
SOMA_CODEC_OF(consensus_key_row, ConsensusKeyRow, 1'024)
SOMA_CODEC_OF(evidence_row, EvidenceRow, 1'024)
SOMA_CODEC_OF(onion_row, OnionRow, 1'024)
SOMA_CODEC_OF(list_row, ListRow, 4'096)

}  // namespace soma::inline codec
