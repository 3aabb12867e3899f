// Explanations: why a target, a model or an address was paid or not, and what an epoch did.
#include "actors/documents/explanation.hpp"
#include "actors/gateway/call.hpp"
#include "actors/public_answers/explanation.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

constexpr std::size_t longest_name = 66;  // 0x and 64 digits

}  // namespace

void answer_explanation(self_pointer self, const call_ptr& asked) {
  const auto events = explained_events_in(*asked);
  if (!events) return;
  if (asked->argument(0).size() > longest_name) {
    return reply_error(*asked, 400, "bad_name", "no id has more than 64 hex digits");
  }
  const auto question = message<schema::GetExplanation>::build([&](auto out) {
    out.setWhat(std::string(asked->argument(0)));
    out.setEvents(*events);
  });
  ask<schema::Explanation>(
      self, asked, question, [asked](const message<schema::Explanation>& reply) {
        if (is_refused(reply.root().getRefusal())) {
          return reply_refused(*asked, reply.root().getRefusal());
        }
        if (asked->wanted() == format::message) {
          return reply_bytes(*asked, message_type, reply.bytes());
        }
        auto document = documents::explanation_json(public_answers::read_explanation(reply.root()));
        document.set("proven", "nothing");
        reply_json(*asked, document);
      });
}

}  // namespace soma::gateway
