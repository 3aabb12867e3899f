// What `soma model publish` knows of the copies of the weights: before the key is revealed, members
// with a quorum of the committee's power should say that they have them (security §9.6). Only then
// is it sure that the validators can judge the model, even if the publisher's home is lost.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "messages/values/rows.hpp"

namespace soma::cli {

/// Counts the members that have said so. Who has said it once counts from then on: a member that is
/// slow need not answer every question.
class copy_count {
 public:
  /// The present committee, and what was heard last. `holders` are consensus keys.
  void update(std::vector<committee_seat> seats, const std::vector<public_key>& holders);
  [[nodiscard]] std::size_t members() const { return seats_.size(); }
  [[nodiscard]] std::size_t copies() const;
  [[nodiscard]] voting_power power() const;
  [[nodiscard]] bool is_quorum() const;
  /// "3 of 4 validators have the weights"
  [[nodiscard]] std::string text() const;

 private:
  std::vector<committee_seat> seats_;
  std::set<public_key> holders_;
};

/// One look at the network.
struct copies_seen {
  std::vector<committee_seat> seats;
  std::optional<std::vector<public_key>> holders;  // nullopt when the validator cannot ask
  bool is_late = false;                            // the time for waiting is over
};

enum class copies_end : std::uint8_t {
  quorum,
  late,     // the time is over without a quorum
  unknown,  // the validator cannot ask the others
  stopped,  // a stop was asked for
};

/// Looks until a quorum has the weights or the wait ends otherwise; it looks at least once. `show`
/// gets a text for the screen after each look. A committee of one whose validator cannot ask is a
/// quorum: its weights are in the store into which they were published.
[[nodiscard]] copies_end wait_for_copies(copy_count& counted,
                                         const std::function<copies_seen()>& look,
                                         const std::function<bool()>& is_stopped,
                                         const std::function<void(const std::string&)>& show);

}  // namespace soma::cli
