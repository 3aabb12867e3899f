#include "actors/consensus/signing.hpp"

#include <utility>

#include "messages/values/assert.hpp"

namespace soma::consensus {

signing_state signing_rights::state() const {
  if (alarmed_) return signing_state::alarmed;
  if (!has_seat_) return signing_state::follows;
  if (lost_record_) return signing_state::lost_record;
  if (is_behind_record()) return signing_state::behind_record;
  if (epoch_ < fenced_before_) return signing_state::fenced;
  if (mute_) return signing_state::mute;
  if (ending_) return signing_state::ending;
  if (listening_) return signing_state::listening;
  return signing_state::signs;
}

bool signing_rights::is_fenced() const {
  return lost_record_ || epoch_ < fenced_before_ || is_behind_record();
}

bool signing_rights::is_behind_record() const {
  return record_epoch_ && epoch_ <= *record_epoch_;
}

void signing_rights::begin_epoch(epoch_number epoch, bool has_seat) {
  SOMA_ASSERT(epoch >= epoch_, "epochs follow each other");
  epoch_ = epoch;
  has_seat_ = has_seat;
  ending_ = false;
  listening_ = std::exchange(listens_in_next_epoch_, false) || listening_;
}

void signing_rights::fence(epoch_number first_free) {
  fenced_before_ = std::max(fenced_before_, first_free);
}

void signing_rights::lose_record() {
  lost_record_ = true;
}

void signing_rights::forgive_lost_record() {
  SOMA_ASSERT(lost_record_, "what is forgiven was lost");
  lost_record_ = false;
}

void signing_rights::fall_behind_record(epoch_number of_record) {
  SOMA_ASSERT(of_record >= epoch_, "a record of a past epoch says nothing about this one");
  record_epoch_ = of_record;
}

void signing_rights::stop_listening() {
  SOMA_ASSERT(listening_, "what ends has begun");
  listening_ = false;
}

void signing_rights::see_twin() {
  fence(epoch_.next());
  listens_in_next_epoch_ = true;
  SOMA_ASSERT(is_fenced(), "a key that signs twice is fenced");
}

bool signing_rights::raise_alarm() {
  return !std::exchange(alarmed_, true);
}

}  // namespace soma::consensus
