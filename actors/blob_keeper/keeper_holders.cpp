// The part of the blob keeper that asks which members of the committee have a blob.
#include <algorithm>

#include "actors/blob_keeper/keeper.hpp"
#include "messages/codec/model_entry.hpp"

namespace soma::blob_keeper {
namespace {

constexpr std::uint32_t most_survey_ms = 10'000;
/// Each costs the members an answer. A question beyond these is answered at once with what is known
/// here, and may be asked again.
constexpr std::size_t most_surveys = 16;

}  // namespace

caf::typed_response_promise<message<schema::Holders>> keeper::ask_holders(
    schema::GetHolders::Reader asked) {
  const auto blob = id_or_zero<blob_id>(asked.getBlob());
  std::set<public_key> members;
  std::vector<std::uint32_t> to;
  if (surveys_.size() < most_surveys) {
    for (const auto& [number, key] : peers_) {
      if (std::ranges::find(members_, key) == members_.end()) continue;
      members.insert(key);
      to.push_back(number);
    }
  }
  open_survey made{self_->make_response_promise<message<schema::Holders>>(),
                   {blob, asked.getSizeBytes(), std::move(members)},
                   is_member_ && shelf_.size_of_complete(blob) == asked.getSizeBytes(),
                   std::min(asked.getWithinMs(), most_survey_ms),
                   {}};
  if (now_ms_) made.until_ms = *now_ms_ + made.within_ms;
  const auto answer = made.answer;
  surveys_.push_back(std::move(made));
  send(to, peer::seek{{blob}});
  end_surveys();
  tick();
  return answer;
}

void keeper::hear_holder(std::uint32_t peer, const peer::have& said) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  for (auto& one : surveys_) one.asked.heard(found->second, said);
  end_surveys();
}

/// Answers the questions that all members have answered, or whose time is over.
void keeper::end_surveys() {
  std::erase_if(surveys_, [&](open_survey& one) {
    if (!one.until_ms && now_ms_) one.until_ms = *now_ms_ + one.within_ms;
    const bool is_late = one.until_ms && *now_ms_ >= *one.until_ms;
    if (!one.asked.is_over() && !is_late) return false;
    auto holders = one.asked.holders();
    if (one.is_here) holders.insert(ports_.key);
    one.answer.deliver(message<schema::Holders>::build([&](auto out) {
      out.setCanAsk(true);
      auto keys = out.initKeys(static_cast<unsigned>(holders.size()));
      unsigned at = 0;
      for (const auto& key : holders) keys.set(at++, data_of(key));
    }));
    return true;
  });
}

}  // namespace soma::blob_keeper
