#include "actors/background/background.hpp"

namespace soma::background {

background_actor::behavior_type background(background_actor::pointer) {
  return {[](const job& work) -> caf::result<message<schema::Ack>> {
    try {
      (*work)();
      return message<schema::Ack>{};
    } catch (const std::exception& failure) {
      return caf::make_error(caf::sec::runtime_error, failure.what());
    }
  }};
}

}  // namespace soma::background
