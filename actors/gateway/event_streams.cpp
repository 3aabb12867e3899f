#include "actors/gateway/event_streams.hpp"

#include <algorithm>
#include <charconv>

#include "actors/documents/events.hpp"
#include "messages/codec/codec.hpp"

namespace soma::gateway {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, into);
  return read.ec == std::errc() && read.ptr == end;
}

}  // namespace

std::optional<event_place> parse_place(std::string_view text) {
  const auto colon = text.find(':');
  event_place place;
  if (colon == text.npos || !read_number(text.substr(0, colon), place.height) ||
      !read_number(text.substr(colon + 1), place.index)) {
    return std::nullopt;
  }
  return place;
}

message<schema::GetEvents> page_question(const stream_filter& filter, const event_place& from,
                                         std::uint32_t most) {
  return message<schema::GetEvents>::build([&](auto out) {
    out.setFromHeight(from.height);
    out.setFromIndex(from.index);
    out.setMost(most);
    if (filter.blocks == block_wish::only) {
      out.initKinds(1).set(0, schema::EventKind::EPOCH_ENDED);  // rare ones; none of them is shown
    } else if (!filter.kinds.empty()) {
      auto kinds = out.initKinds(static_cast<unsigned>(filter.kinds.size()));
      for (unsigned i = 0; i < kinds.size(); ++i) kinds.set(i, filter.kinds[i]);
    }
    if (!filter.target.empty()) out.setTarget(data_of(byte_view(filter.target)));
    if (!filter.model.empty()) out.setModel(data_of(byte_view(filter.model)));
    if (!filter.address.empty()) out.setAddress(data_of(byte_view(filter.address)));
  });
}

block_range blocks_in(const event_place& from, const message<schema::EventPage>& page) {
  block_range out{std::max<std::uint64_t>(from.height, 1), 0};
  // The events of a height are all here when the next place is behind it.
  const auto end = page.root().getNextHeight();
  if (end > out.first) {
    out.count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(end - out.first, blocks_per_page));
  }
  return out;
}

shown_page shown_in(const message<schema::EventPage>& page) {
  return shown_in(page, block_wish::none, 1, {});
}

shown_page shown_in(const message<schema::EventPage>& page, block_wish wish, std::uint64_t first,
                    const std::vector<block_header>& blocks) {
  const auto root = page.root();
  shown_page out{{}, {root.getNextHeight(), root.getNextIndex()}, root.getMore()};
  const auto behind = first + blocks.size();
  if (wish != block_wish::none && behind < out.next.height) {
    out.next = {behind, 0};
    out.more = true;
  }
  auto next_block = blocks.begin();
  const auto show_blocks_before = [&](std::uint64_t height) {
    for (; next_block != blocks.end() && next_block->height.value < height; ++next_block) {
      out.events.push_back(documents::block_json(*next_block));
    }
  };
  for (const auto& placed : root.getEvents()) {
    if (event_place{placed.getHeight(), placed.getIndex()} >= out.next) break;
    show_blocks_before(placed.getHeight());
    const auto happened = decode<event>(view_of(placed.getEvent()));
    if (!happened) continue;  // of a newer version; its place is passed over
    if (wish != block_wish::only) {
      out.events.push_back(documents::event_json(placed.getIndex(), *happened));
    }
  }
  show_blocks_before(out.next.height);
  return out;
}

std::string page_text(const shown_page& page) {
  std::string out;
  for (const auto& shown : page.events) {
    out += "id: " + shown.find("place")->plain();
    out += "\nevent: " + shown.find("kind")->plain();
    out += "\ndata: " + shown.text() + "\n\n";
  }
  return out;
}

void event_streams::forget_gone() {
  std::erase_if(all_, [](const auto& stream) { return stream->to.is_gone(); });
}

std::vector<event_streams::group> event_streams::due(std::uint64_t height) {
  forget_gone();
  std::vector<group> groups;
  const auto first = turn_;
  for (std::size_t i = 0; i < all_.size() && asked_ < most_questions; ++i) {
    const auto at = (first + i) % all_.size();
    const auto& stream = all_[at];
    const bool has_room = stream->to.queued_bytes() < most_queued_bytes;
    if (stream->is_waiting || !has_room || stream->next.height > height) continue;
    group made{page_question(stream->filter, stream->next, events_per_page), {}};
    for (const auto& other : all_) {
      const bool is_alike = !other->is_waiting && other->next == stream->next &&
                            other->filter == stream->filter &&
                            other->to.queued_bytes() < most_queued_bytes;
      if (is_alike) made.streams.push_back(other);
    }
    for (const auto& one : made.streams) one->is_waiting = true;
    groups.push_back(std::move(made));
    turn_ = at + 1;
    ++asked_;
  }
  return groups;
}

void event_streams::take(const group& asked, const shown_page& page, std::uint64_t now_ms) {
  --asked_;
  const auto text = page_text(page);
  const auto shared = std::make_shared<const bytes>(text.begin(), text.end());
  for (const auto& stream : asked.streams) {
    stream->is_waiting = false;
    stream->next = page.next;
    if (shared->empty()) continue;
    stream->to.write(shared);
    stream->written_ms = now_ms;
  }
}

void event_streams::cut(const group& asked) {
  --asked_;
  for (const auto& stream : asked.streams) {
    stream->is_waiting = false;
    stream->to.abort();
  }
}

void event_streams::give_up(const group& asked) {
  --asked_;
  for (const auto& stream : asked.streams) stream->is_waiting = false;
}

void event_streams::keep_alive(std::uint64_t now_ms, std::uint64_t silent_ms) {
  for (const auto& stream : all_) {
    if (now_ms - stream->written_ms < silent_ms) continue;
    stream->to.write(std::string_view(": the chain is silent\n\n"));
    stream->written_ms = now_ms;
  }
}

}  // namespace soma::gateway
