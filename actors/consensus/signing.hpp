// Whether a validator signs in the present epoch, and what keeps it from signing. Everything that
// it signs can be held against it for as long as its stake is bonded, so it must know all that its
// key has signed before. It does not know that in these cases, each of which has a name here:
//
//   Fence. A fenced validator signs nothing before a given epoch: its key may have signed in the
//   epochs before in a way that this process does not know. It follows the others meanwhile. The
//   fence is written into the voting record, so it outlasts a restart.
//     - Another process was seen to sign with the key, or an older copy of the record came back.
//       Then the fence ends with the present epoch.
//     - The record is lost. Then nobody here knows which epoch is safe: the key may have helped to
//       end the present one. The fence is without an end until an epoch begins of which a quorum
//       has said that the votes before it cannot have let it begin (still_here in the core).
//
//   Behind its record. The voting record is of a later epoch than the ledger, or of views whose
//   beginning the ledger has lost. The validator is fenced until the ledger has passed the epoch of
//   the record, and it writes nothing into the record either, which would forget what it holds.
//
//   Listening. A validator that starts with a record does not sign for a while, and hears from the
//   others what its key has signed. If that is more than its record holds, the record is an old
//   copy, and it is fenced. Listening ends when a quorum was connected for as long as it takes to
//   hear it.
//
//   Mute. The disk did not take the last batch. Nothing is signed that could not be remembered;
//   deciding goes on when there is room again.
//
//   Ending. The block that closes the epoch is final here and goes into the ledger. Nothing more is
//   signed in the epoch (S8).
//
//   Alarmed. Something has happened that agreement rules out (R12). A person has to look.
//
// Several of them can hold at once: the class holds each, and state() names the one that lasts
// longest.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "messages/values/amounts.hpp"
#include "messages/values/ids.hpp"

namespace soma::consensus {

/// In the order in which state() names them: what only a person ends comes first.
enum class signing_state : std::uint8_t {
  alarmed,
  follows,        // the key has no seat in this epoch's committee
  lost_record,    // fenced, without an end yet
  behind_record,  // fenced, and nothing is written
  fenced,         // until a given epoch
  mute,
  ending,
  listening,
  signs
};

class signing_rights {
 public:
  [[nodiscard]] signing_state state() const;
  [[nodiscard]] bool may_sign() const { return state() == signing_state::signs; }
  /// Whether decisions may go into the record now.
  [[nodiscard]] bool may_write() const { return !mute_ && !is_behind_record(); }
  [[nodiscard]] bool is_fenced() const;
  [[nodiscard]] bool has_lost_record() const { return lost_record_; }
  [[nodiscard]] bool is_behind_record() const;
  [[nodiscard]] bool is_listening() const { return listening_; }
  [[nodiscard]] bool is_mute() const { return mute_; }
  [[nodiscard]] bool is_alarmed() const { return alarmed_; }
  /// The epoch of the record that the ledger is behind.
  [[nodiscard]] const std::optional<epoch_number>& record_epoch() const { return record_epoch_; }
  /// The first epoch that is not fenced, as the record has to remember it.
  [[nodiscard]] epoch_number fenced_before() const { return fenced_before_; }

  // ---- transitions

  /// A new process, or a new epoch of this one: whether its key has a seat there. What was ending
  /// has ended. A twin that was seen in the epoch before may still be there, so that is listened
  /// for again.
  void begin_epoch(epoch_number epoch, bool has_seat);
  /// Fenced until this epoch at least.
  void fence(epoch_number first_free);
  void lose_record();
  /// The epoch that begins is one of which the key cannot have voted: the lost record is forgiven.
  void forgive_lost_record();
  /// The record is of this epoch, in part or as a whole later than the ledger.
  void fall_behind_record(epoch_number of_record);
  void start_listening() { listening_ = true; }
  void stop_listening();
  /// Another process signs with this key.
  void see_twin();
  void set_mute(bool mute) { mute_ = mute; }
  /// The end of the epoch goes into the ledger.
  void end_epoch() { ending_ = true; }
  /// False: it was alarmed before.
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
