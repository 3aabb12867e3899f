// Uploads: an account announces a blob, puts its chunks, and goes on where it was after a break.
// The cheap checks come first: size, form, chain and expiry, then the account and its allowance,
// and the signature last.
#include <algorithm>

#include "actors/gateway/call.hpp"
#include "actors/rules/pools.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

using json::value;

/// An answer names so many missing chunks at most when a chunk was put. The first answer names all.
constexpr unsigned most_named = 1'024;

struct upload {
  call_ptr asked;
  blob_id blob;
  reservation by;
};

message<schema::GetRow> row_question(const row_key& key) {
  return message<schema::GetRow>::build([&](auto out) { out.setKey(data_of(byte_view(key))); });
}

/// Calls `then` with the money of the account: its balance, and its own stake as a validator.
template <class Then>
void ask_money(self_pointer self, const upload& what, Then then) {
  const auto who = what.by.account();
  ask<schema::Row>(
      self, what.asked, row_question(account_key(who)),
      [self, what, who, then](const message<schema::Row>& row) {
        const auto account = decode<account_row>(view_of(row.root().getValue()));
        if (!row.root().getFound() || !account) {
          return refuse(*what.asked, upload_refusal::no_account);
        }
        ask<schema::Row>(
            self, what.asked, row_question(validator_key(who)),
            [then, balance = account->balance](const message<schema::Row>& found) {
              const auto validator = decode<validator_row>(view_of(found.root().getValue()));
              const bool has_stake = found.root().getFound() && validator;
              const auto stake = has_stake ? rules::own_stake(validator->pool) : shannons{};
              then(shannons{balance.value + std::min(stake.value, UINT64_MAX - balance.value)});
            });
      });
}

/// Lets a request go on whose reservation is good, and refuses every other.
template <class Then>
void check_reservation(self_pointer self, const upload& what, Then then) {
  auto& state = self->state;
  const auto chain = signing::chain_id_of(state.genesis);
  if (const auto terms = check_terms(what.by, chain, what.blob, state.unix_ms); !terms) {
    return refuse(*what.asked, terms.error());
  }
  if (state.uploads.has(what.by, state.now_ms)) return then();
  ask_money(self, what, [self, what, then](shannons money) {
    auto& book = self->state.uploads;
    const auto now_ms = self->state.now_ms;
    const auto room = book.check(what.by, book.allowance(money), now_ms);
    if (!room) return refuse(*what.asked, room.error());
    const auto& by = what.by;
    if (!may_check_signature(self, *what.asked)) return;
    if (!signing::verify_upload(by.key, by.chain, by.blob, by.size_bytes, by.expiry_ms,
                                by.by_key)) {
      return refuse(*what.asked, upload_refusal::bad_signature);
    }
    book.take(by, now_ms);
    then();
  });
}

void reply_progress(const call& to, const blob_id& blob, schema::PutProgress::Reader progress,
                    unsigned most) {
  const auto missing = progress.getMissing();
  const auto named = std::min(missing.size(), most);
  if (to.wanted() == format::message) {
    const auto shown = message<schema::PutProgress>::build([&](auto out) {
      out.setBlob(data_of(blob));
      auto list = out.initMissing(named);
      for (unsigned i = 0; i < named; ++i) list.set(i, missing[i]);
    });
    return reply_bytes(to, message_type, shown.bytes());
  }
  auto numbers = value::list();
  for (unsigned i = 0; i < named; ++i) numbers.push(missing[i]);
  reply_json(to, value::of({{"blob", blob.text()},
                            {"complete", missing.size() == 0},
                            {"missing_chunks", missing.size()},
                            {"missing", std::move(numbers)}}));
}

/// Asks the store, and says how far the upload has come.
template <class Request>
void put(self_pointer self, const upload& what, const message<Request>& request, unsigned most) {
  if (!self->state.uploads.open(what.blob, self->state.now_ms)) {
    return refuse(*what.asked, upload_refusal::full);
  }
  ask_role<schema::PutProgress>(self, self->state.ports.blobs, what.asked, request,
                                [self, what, most](const message<schema::PutProgress>& reply) {
                                  const auto progress = reply.root();
                                  const bool is_refused = soma::is_refused(progress.getRefusal());
                                  if (is_refused || progress.getMissing().size() == 0)
                                    self->state.uploads.close(what.blob);
                                  if (is_refused)
                                    return reply_blob_refused(*what.asked, progress.getRefusal());
                                  reply_progress(*what.asked, what.blob, progress, most);
                                });
}

void begin(self_pointer self, const upload& what) {
  const auto announced = announcement_in(*what.asked, what.by);
  if (!announced) return;
  check_reservation(self, what, [self, what, request = *announced] {
    if (!is_of(request, what.blob)) {
      return reply_error(*what.asked, 422, "wrong_hashes", "the hashes are not those of this blob");
    }
    put(self, what, request, UINT32_MAX);
  });
}

void put_chunk(self_pointer self, const upload& what) {
  const auto number = number_in(*what.asked, "number", what.asked->argument(1));
  if (!number) return;
  const auto& body = what.asked->asked.body;
  if (*number >= crypto::chunk_count(what.by.size_bytes) || body.empty()) {
    return reply_error(*what.asked, 422, "wrong_chunk", "the blob has no such chunk");
  }
  check_reservation(self, what, [self, what, number = *number] {
    const auto& data = what.asked->asked.body;
    const auto request = message<schema::PutChunk>::build([&](auto out) {
      out.setBlob(data_of(what.blob));
      out.setNumber(static_cast<std::uint32_t>(number));
      out.setData(data_of(byte_view(data)));
    });
    const auto give_up = [what] {
      reply_error(*what.asked, 429, "too_fast", "this gateway takes no more bytes a second");
    };
    paced(self, {host_in(what.asked->asked.peer), data.size(),
                 self->state.now_ms + self->state.options.paced_ms,
                 [self, what, request] { put(self, what, request, most_named); }, give_up});
  });
}

}  // namespace

void answer_uploads(self_pointer self, const call_ptr& asked) {
  if (!self->state.ports.blobs) {
    return reply_error(*asked, 404, "no_blob_store", "this gateway takes no blobs");
  }
  const auto blob = id_in(*asked, "root", asked->argument(0));
  if (!blob) return;
  const auto by = read_reservation(asked->asked.header("soma-reservation"));
  if (!by) return refuse(*asked, by.error());
  const upload what{asked, blob->as<blob_tag>(), *by};
  if (asked->what->id == endpoint_id::begin_upload) return begin(self, what);
  put_chunk(self, what);
}

}  // namespace soma::gateway
