// How a message<T> crosses a process boundary: the words as they are. The one place where CAF meets
// message<T>; on arrival the words pass the same door as foreign bytes, so a damaged message is a
// deserialization error, never a crash.
#pragma once

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>
#include <string>

#include "messages/wire/message.hpp"

namespace soma::inline interface {

/// A message's words on their way in or out, without its type: what CAF instantiates for the words
/// it instantiates once, and not again for each message.
struct words_in_transit {
  std::string words;
  void* target = nullptr;
  /// Whether the words are a message of the target's type, which it holds then.
  bool (*enter)(void* target, const std::string& words) = nullptr;
};

template <class Inspector>
typename Inspector::result_type inspect_words(Inspector& f, words_in_transit& transit) {
  if constexpr (Inspector::reads_state) {
    return f(caf::meta::type_name("soma.message"), transit.words);
  } else {
    auto enter = [&transit]() -> caf::error {
      if (!transit.enter(transit.target, transit.words)) return caf::sec::invalid_argument;
      return caf::none;
    };
    return f(transit.words, caf::meta::load_callback(enter));
  }
}

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, message<T>& m) {
  words_in_transit transit;
  if constexpr (Inspector::reads_state) {
    const auto view = m.bytes();
    transit.words.assign(reinterpret_cast<const char*>(view.data()), view.size());
  } else {
    transit.target = &m;
    transit.enter = [](void* target, const std::string& words) {
      auto parsed = message<T>::parse(as_bytes(words));
      if (!parsed) return false;
      *static_cast<message<T>*>(target) = std::move(*parsed);
      return true;
    };
  }
  return inspect_words(f, transit);
}

}  // namespace soma::inline interface
