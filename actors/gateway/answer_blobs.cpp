// Blobs: what one consists of, its bytes chunk by chunk, and who has it. A blob that is not in the
// store behind this gateway is fetched from other homes, if the ledger names it.
#include <algorithm>

#include "actors/gateway/blob_range.hpp"
#include "actors/gateway/call.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

using crypto::blob_chunk_bytes;
using json::value;

/// A stream that is slower than this makes room for another one, when there is none left.
constexpr std::uint64_t slow_bytes_per_second = 128 * 1024;
constexpr std::uint64_t slow_after_ms = 5'000;
/// The bytes of a blob never change.
constexpr std::string_view for_ever = "public, max-age=31536000, immutable";

std::string etag_of(const blob_id& blob) {
  return '"' + blob.text() + '"';
}

bool is_unknown(schema::Refusal::Reader refusal) {
  return refusal.isBlobStore() && refusal.getBlobStore() == schema::BlobStoreRefusal::UNKNOWN;
}

void too_fast(const call& to) {
  reply_error(to, 429, "too_fast", "this gateway gives no more bytes a second; wait a moment");
}

/// Has the keeper get the blob into the store, and then calls `again`. False: it cannot be fetched.
bool fetch(self_pointer self, const call_ptr& asked, const blob_id& blob,
           std::function<void()> again) {
  auto& state = self->state;
  if (!state.ports.keeper || state.fetches >= state.options.blob_fetches) return false;
  ++state.fetches;
  const auto within_ms = state.options.blob_fetch_ms;
  const auto question = message<schema::FetchBlobs>::build([&](auto out) {
    out.initBlobs(1)[0].setBlob(data_of(blob));
    out.setWithinMs(within_ms);
    out.setOnlyNamed(true);
  });
  const std::chrono::milliseconds patience(within_ms + state.options.question_ms);
  self->request(state.ports.keeper, patience, question)
      .then(
          [self, again](const message<schema::FetchedBlobs>&) {
            --self->state.fetches;
            again();
          },
          [self, asked](const caf::error&) {
            --self->state.fetches;
            reply_silent(*asked);
          });
  return true;
}

/// Asks the store, and once more after the blob was fetched from other homes. `then` gets an answer
/// that is no refusal.
template <class Reply, class Request, class Then>
void ask_store(self_pointer self, const call_ptr& asked, const blob_id& blob,
               const message<Request>& question, Then then, bool may_fetch = true) {
  ask_role<Reply>(self, self->state.ports.blobs, asked, question, [=](const message<Reply>& reply) {
    const auto refusal = reply.root().getRefusal();
    if (!is_refused(refusal)) return then(reply);
    const auto again = [=] { ask_store<Reply>(self, asked, blob, question, then, false); };
    if (may_fetch && is_unknown(refusal) && fetch(self, asked, blob, again)) return;
    reply_blob_refused(*asked, refusal);
  });
}

/// Whether this process has the store's files. Clients check the hash of each chunk.
bool has_files(self_pointer self) {
  return self->state.ports.blobs.node() == self->node();
}

message<schema::GetChunk> chunk_question(const blob_id& blob, std::uint64_t number, bool as_part) {
  return message<schema::GetChunk>::build([&](auto out) {
    out.setBlob(data_of(blob));
    out.setNumber(static_cast<std::uint32_t>(number));
    out.setAsPart(as_part);
  });
}

/// The part of a file that an answer names. It has no file when that cannot be opened, since the
/// store may have removed the blob meanwhile.
http::file_part part_in(gateway_state& state, const blob_id& blob, schema::Chunk::Reader chunk) {
  constexpr std::size_t most_files = 64;
  auto file = state.files[blob].lock();
  if (!file) file = files::readable_file::open(chunk.getFile().cStr());
  state.files[blob] = file;
  if (state.files.size() > most_files) {
    std::erase_if(state.files, [](const auto& one) { return one.second.expired(); });
  }
  return {std::move(file), chunk.getOffset(), chunk.getPartBytes()};
}

void give_chunk(self_pointer self, const call_ptr& asked, const blob_id& blob, std::uint64_t number,
                bool as_part) {
  const auto question = chunk_question(blob, number, as_part);
  ask_store<schema::Chunk>(self, asked, blob, question, [=](const message<schema::Chunk>& reply) {
    const auto chunk = reply.root();
    http::response out;
    out.content_type = asked->what->content;
    out.headers.emplace_back("ETag", '"' + blob.text() + '/' + std::to_string(number) + '"');
    if (as_part) {
      out.file = part_in(self->state, blob, chunk);
      if (!out.file.file) return give_chunk(self, asked, blob, number, false);
    } else {
      const auto data = view_of(chunk.getData());
      out.body = std::make_shared<const bytes>(data.begin(), data.end());
    }
    asked->to.send(with_caching(std::move(out), for_ever));
  });
}

void answer_chunk(self_pointer self, const call_ptr& asked, const blob_id& blob) {
  const auto number = number_in(*asked, "number", asked->argument(1));
  if (!number) return;
  if (*number > UINT32_MAX) {
    return reply_error(*asked, 404, "not_there", "the blob has no chunk of this number");
  }
  const auto go_on = [=] { give_chunk(self, asked, blob, *number, has_files(self)); };
  const auto give_up = [asked] { too_fast(*asked); };
  paced(self, {host_in(asked->asked.peer), blob_chunk_bytes,
               self->state.now_ms + self->state.options.paced_ms, go_on, give_up});
}

/// Makes room for one more stream to this host, by cutting a slow one if there is no other way.
/// False: a refusal was sent.
bool has_room(self_pointer self, const call& asked, const std::string& host) {
  auto& state = self->state;
  std::erase_if(state.readings, [](const auto& one) {
    const auto reading = one.lock();
    return !reading || reading->to.is_gone();
  });
  const auto of_host = std::ranges::count_if(state.readings, [&](const auto& one) {
    const auto reading = one.lock();
    return reading && reading->host == host;
  });
  if (static_cast<std::size_t>(of_host) >= state.options.blob_streams_per_host) {
    reply_error(asked, 429, "too_many_streams", "one host reads as many blobs at once as it may");
    return false;
  }
  if (state.readings.size() < state.options.blob_streams) return true;
  const auto rate = [&](const std::weak_ptr<blob_reading>& one) {
    const auto reading = one.lock();
    const auto passed_ms = reading ? state.now_ms - std::min(state.now_ms, reading->began_ms) : 0;
    return passed_ms < slow_after_ms ? UINT64_MAX : reading->written * 1'000 / passed_ms;
  };
  const auto slowest = std::ranges::min_element(state.readings, {}, rate);
  if (rate(*slowest) < slow_bytes_per_second) {
    if (const auto reading = slowest->lock()) reading->to.abort();
    state.readings.erase(slowest);
    return true;
  }
  reply_error(asked, 503, "too_many_streams", "this gateway gives as many blobs at once as it may");
  return false;
}

/// Writes the next bytes of a stream, which are in one chunk.
void read_on(self_pointer self, const std::shared_ptr<blob_reading>& to, std::uint64_t begin,
             std::uint64_t size, bool as_part) {
  const auto take = [=](const message<schema::Chunk>& reply) {
    const auto chunk = reply.root();
    const auto given = as_part ? chunk.getPartBytes() : chunk.getData().size();
    if (is_refused(chunk.getRefusal()) || given < begin + size) return to->to.abort();
    bool taken = false;
    if (as_part) {
      auto part = part_in(self->state, to->blob, chunk);
      if (!part.file) return read_on(self, to, begin, size, false);
      taken = to->to.write(http::file_part{std::move(part.file), part.offset + begin, size});
    } else {
      const auto part = view_of(chunk.getData()).subspan(begin, size);
      taken = to->to.write(bytes(part.begin(), part.end()));
    }
    to->next += size;
    to->written += size;
    if (taken && to->next == to->end) to->to.finish();
  };
  const auto question = chunk_question(to->blob, to->next / blob_chunk_bytes, as_part);
  self->request(self->state.ports.blobs, std::chrono::milliseconds(self->state.options.question_ms),
                question)
      .then(take, [to](const caf::error&) { to->to.abort(); });
}

/// Begins a response whose body is read from the store while the client takes it.
void begin_stream(self_pointer self, const call_ptr& asked, const blob_id& blob,
                  const blob_range& range, std::uint64_t size_bytes) {
  auto& state = self->state;
  auto reading = std::make_shared<blob_reading>();
  reading->blob = blob;
  reading->next = range.first;
  reading->end = range.last + 1;
  reading->host = host_in(asked->asked.peer);
  reading->began_ms = state.now_ms;
  const bool is_head = asked->asked.verb == http::method::head;
  if (!is_head && !has_room(self, *asked, reading->host)) return;
  http::response head;
  head.content_type = bytes_type;
  head.headers = {{"ETag", etag_of(blob)}, {"Accept-Ranges", "bytes"}};
  if (range.kind == range_kind::part) {
    head.status = 206;
    head.headers.emplace_back("Content-Range", "bytes " + std::to_string(range.first) + "-" +
                                                   std::to_string(range.last) + "/" +
                                                   std::to_string(size_bytes));
  }
  http::stream_events events;
  if (!is_head) {
    state.readings.push_back(reading);
    events.want_more = [in = state.in, reading](const http::body_stream&) { in->put(reading); };
  }
  reading->to =
      asked->to.stream(with_caching(std::move(head), for_ever), range.size(), std::move(events));
}

void answer_file(self_pointer self, const call_ptr& asked, const blob_id& blob,
                 schema::BlobDescription::Reader what) {
  const auto size_bytes = what.getSizeBytes();
  const auto& request = asked->asked;
  const auto etag = etag_of(blob);
  if (request.header("if-none-match") == etag) {
    http::response same;
    same.status = 304;
    same.headers.emplace_back("ETag", etag);
    return asked->to.send(with_caching(std::move(same), for_ever));
  }
  // A part is only good beside other parts of the same content.
  const auto condition = request.header("if-range");
  const auto range = range_in(
      condition && *condition != etag ? std::nullopt : request.header("range"), size_bytes);
  if (range.kind != range_kind::not_satisfied) {
    return begin_stream(self, asked, blob, range, size_bytes);
  }
  auto refused = http::error_response(
      416, "range_not_satisfied",
      "the blob has " + std::to_string(size_bytes) + " bytes, and none of these");
  refused.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size_bytes));
  asked->to.send(with_caching(std::move(refused)));
}

void answer_blob(self_pointer self, const call_ptr& asked, const blob_id& blob) {
  const auto question =
      message<schema::GetBlob>::build([&](auto out) { out.setBlob(data_of(blob)); });
  ask_store<schema::BlobDescription>(
      self, asked, blob, question,
      [self, asked, blob](const message<schema::BlobDescription>& reply) {
        const auto what = reply.root();
        if (asked->wanted() == format::file) return answer_file(self, asked, blob, what);
        if (asked->wanted() == format::message) {
          // The hashes of a large blob are large, too.
          auto& state = self->state;
          const auto host = host_in(asked->asked.peer);
          if (!state.moved.take(host, reply.bytes().size(), state.now_ms)) return too_fast(*asked);
          return reply_bytes(*asked, message_type, reply.bytes());
        }
        reply_json(*asked, value::of({{"blob", blob.text()},
                                      {"size_bytes", what.getSizeBytes()},
                                      {"chunks", what.getChunkHashes().size() / 32},
                                      {"chunk_bytes", blob_chunk_bytes}}));
      });
}

void answer_holders(self_pointer self, const call_ptr& asked, const blob_id& blob) {
  const auto size_bytes = number_in(*asked, "size", asked->asked.parameter("size").value_or(""));
  if (!size_bytes) return;
  auto& state = self->state;
  // A question is passed on to all members, so that few may be under way.
  if (*state.surveys >= state.options.holder_surveys) {
    return reply_error(*asked, 503, "too_many_surveys", "others ask the validators at the moment");
  }
  constexpr std::uint32_t within_ms = 1'000;
  ++*state.surveys;
  const std::shared_ptr<const void> place(state.surveys.get(),
                                          [all = state.surveys](const void*) { --*all; });
  const auto question = message<schema::GetHolders>::build([&](auto out) {
    out.setBlob(data_of(blob));
    out.setSizeBytes(*size_bytes);
    out.setWithinMs(within_ms);
  });
  ask<schema::Holders>(self, asked, question,
                       [asked, place](const message<schema::Holders>& reply) {
                         if (asked->wanted() == format::message) {
                           return reply_bytes(*asked, message_type, reply.bytes());
                         }
                         auto keys = value::list();
                         for (const auto& key : reply.root().getKeys()) {
                           keys.push("0x" + to_hex(view_of(key)));
                         }
                         reply_json(*asked, value::of({{"can_ask", reply.root().getCanAsk()},
                                                       {"keys", std::move(keys)},
                                                       {"proven", false}}));
                       });
}

}  // namespace

void reply_blob_refused(const call& to, schema::Refusal::Reader refusal) {
  using schema::BlobStoreRefusal;
  if (!refusal.isBlobStore()) return reply_error(to, 503, "blob_store_failed", why_of(refusal));
  switch (refusal.getBlobStore()) {
    case BlobStoreRefusal::UNKNOWN:
      if (to.what->verb == http::method::put) {
        return reply_error(to, 409, "not_begun", "begin the upload with PUT /v1/blobs/{root}");
      }
      return reply_error(to, 404, "not_there", "no such blob is behind this gateway");
    case BlobStoreRefusal::WRONG_CHUNK:
      if (to.what->verb == http::method::put) {
        return reply_error(to, 422, "wrong_chunk", "the bytes are not those of this chunk");
      }
      return reply_error(to, 404, "not_there", "the blob has no chunk of this number");
    case BlobStoreRefusal::WRONG_HASHES:
    case BlobStoreRefusal::EMPTY:
      return reply_error(to, 422, "wrong_hashes", "the hashes do not fit the size");
    case BlobStoreRefusal::TOO_LARGE:
      return reply_error(to, 413, "blob_too_large", "larger than any blob may be");
    case BlobStoreRefusal::QUOTA_EXCEEDED:
      return reply_error(to, 503, "store_full", "the disk behind this gateway is full");
    case BlobStoreRefusal::CORRUPT_CHUNK:
      return reply_error(to, 503, "damaged", "the disk has damaged the blob; ask another gateway");
    case BlobStoreRefusal::PUT_IN_PROGRESS:
    case BlobStoreRefusal::INCOMPLETE:
      break;
  }
  reply_error(to, 503, "put_in_progress", "somebody else is putting this blob; ask again later");
}

void paced(self_pointer self, paced_read what) {
  auto& state = self->state;
  // Who waits already comes first.
  if (state.paced.empty() && state.moved.take(what.host, what.bytes, state.now_ms)) {
    return what.go_on();
  }
  if (state.paced.size() >= state.options.paced_reads) return what.give_up();
  state.paced.push_back(std::move(what));
  look_at_paced(self);
}

void look_at_paced(self_pointer self) {
  auto& state = self->state;
  for (auto& one : std::exchange(state.paced, {})) {
    if (state.moved.take(one.host, one.bytes, state.now_ms)) {
      one.go_on();
    } else if (one.until_ms <= state.now_ms) {
      one.give_up();
    } else {
      state.paced.push_back(std::move(one));
    }
  }
}

void serve_reading(self_pointer self, const std::shared_ptr<blob_reading>& to) {
  if (to->to.is_gone() || to->next >= to->end) return;
  const auto begin = to->next % blob_chunk_bytes;
  const auto size = std::min<std::uint64_t>(blob_chunk_bytes - begin, to->end - to->next);
  const auto go_on = [=] { read_on(self, to, begin, size, has_files(self)); };
  // A stream waits as long as the client does.
  paced(self, {to->host, size, UINT64_MAX, go_on, [to] { to->to.abort(); }});
}

void answer_blobs(self_pointer self, const call_ptr& asked) {
  const auto blob = id_in(*asked, "root", asked->argument(0));
  if (!blob) return;
  const auto name = blob->as<blob_tag>();
  if (asked->what->id == endpoint_id::blob_holders) return answer_holders(self, asked, name);
  if (!self->state.ports.blobs) {
    return reply_error(*asked, 404, "no_blob_store", "this gateway has no blobs");
  }
  if (asked->what->id == endpoint_id::blob_chunk) return answer_chunk(self, asked, name);
  answer_blob(self, asked, name);
}

}  // namespace soma::gateway
