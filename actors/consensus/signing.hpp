// Whether a validator signs in the present epoch, and what keeps it from signing. A validator can
// lose its stake for everything that its key signs, so it must know what the key has signed before.
// It must not sign in these cases, each of which has a name here:
//
//   Fence. A fenced validator signs nothing before a given epoch, because its key may have signed
//   statements in earlier epochs that this process does not know. Meanwhile it follows the others.
//   The fence is written into the voting record, so it outlasts a restart.
//     - Another process was seen to sign with the key, or an older copy of the record came back.
//       Then the fence ends with the present epoch.
//     - The record is lost. Then the process cannot know which epoch is safe: the key may have
//       helped to end the present one. The fence has no end until an epoch begins for which members
//       with the power of a quorum have said that their votes did not let it begin earlier
//       (still_here in the core).
//
//   Behind its record. The voting record belongs to a later epoch than the ledger, or to views
//   whose beginning the ledger has lost. The validator is fenced until the ledger has passed the
//   epoch of the record. It does not write into the record either, because a write would remove
//   what the record holds.
//
//   Listening. A validator that starts with a record does not sign for a while, and hears from the
//   others what its key has signed. If that is more than its record holds, the record is an old
//   copy, and the validator is fenced. Listening ends when a quorum was connected for listen_ms.
//
//   Mute. The disk did not take the last batch. The validator signs nothing that it could not
//   remember; it decides again when there is room.
//
//   Ending. The block that closes the epoch is final here and goes into the ledger. The validator
//   signs nothing more in the epoch (S8).
//
//   Alarmed. The validator has seen a violation of safety (R12). A person has to look.
//
// Several of these can hold at once. The class holds each of them, and state() names the one that
// lasts longest.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "messages/values/amounts.hpp"
#include "messages/values/ids.hpp"

namespace soma::consensus {

/// In the order in which state() names them. The alarm comes first, because only a person ends it.
enum class signing_state : std::uint8_t {
  alarmed,
  follows,        // the key has no seat in this epoch's committee
  lost_record,    // fenced, and the end of the fence is not known yet
  behind_record,  // fenced, and the record is not written
  fenced,         // fenced until a given epoch
  mute,
  ending,
  listening,
  signs
};

class signing_rights {
 public:
  [[nodiscard]] signing_state state() const;
  [[nodiscard]] bool may_sign() const { return state() == signing_state::signs; }
  /// Whether decisions may be written into the record now.
  [[nodiscard]] bool may_write() const { return !mute_ && !is_behind_record(); }
  [[nodiscard]] bool is_fenced() const;
  [[nodiscard]] bool has_lost_record() const { return lost_record_; }
  [[nodiscard]] bool is_behind_record() const;
  [[nodiscard]] bool is_listening() const { return listening_; }
  [[nodiscard]] bool is_mute() const { return mute_; }
  [[nodiscard]] bool is_alarmed() const { return alarmed_; }
  /// The epoch of the record, if the ledger is or was behind the record.
  [[nodiscard]] const std::optional<epoch_number>& record_epoch() const { return record_epoch_; }
  /// The first epoch that is not fenced. The record has to remember it.
  [[nodiscard]] epoch_number fenced_before() const { return fenced_before_; }

  // ---- transitions

  /// A process or an epoch begins. `has_seat` says whether the key has a seat in the epoch. The
  /// ending state of the last epoch is over. If another process was seen to sign with the key in
  /// the last epoch, it may still run, so the validator listens again.
  void begin_epoch(epoch_number epoch, bool has_seat);
  /// The validator signs in no epoch before `first_free`.
  void fence(epoch_number first_free);
  void lose_record();
  /// An epoch begins in which the key cannot have voted, so the lost record no longer matters.
  void forgive_lost_record();
  /// The record, of this epoch, holds votes that are later than the ledger.
  void fall_behind_record(epoch_number of_record);
  void start_listening() { listening_ = true; }
  void stop_listening();
  /// Another process signs with this key: a twin.
  void see_twin();
  void set_mute(bool mute) { mute_ = mute; }
  /// The block that closes the epoch goes into the ledger.
  void end_epoch() { ending_ = true; }
  /// False when the alarm was raised before.
  bool raise_alarm();

 private:
  epoch_number epoch_;
  bool has_seat_ = false;
  bool alarmed_ = false;
  bool lost_record_ = false;
  std::optional<epoch_number> record_epoch_;
  epoch_number fenced_before_;
  bool mute_ = false;
  bool ending_ = false;
  bool listening_ = false;
  bool listens_in_next_epoch_ = false;
};

}  // namespace soma::consensus
