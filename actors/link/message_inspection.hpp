// How a message<T> crosses a process boundary: the words as they are. The one place where CAF meets
// message<T>; on arrival the words pass the same door as foreign bytes, so a damaged message is a
// deserialization error, never a crash.
#pragma once

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>
#include <string>

#include "messages/types/message.hpp"

namespace soma {

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, message<T>& m) {
  std::string words;
  if constexpr (Inspector::reads_state) {
    const auto view = m.bytes();
    words.assign(reinterpret_cast<const char*>(view.data()), view.size());
    return f(caf::meta::type_name("soma.message"), words);
  } else {
    auto enter = [&]() -> caf::error {
      auto parsed = message<T>::parse(as_bytes(words));
      if (!parsed) return caf::sec::invalid_argument;
      m = std::move(*parsed);
      return caf::none;
    };
    return f(words, caf::meta::load_callback(enter));
  }
}

}  // namespace soma
