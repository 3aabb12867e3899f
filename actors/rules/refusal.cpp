#include "actors/rules/refusal.hpp"

namespace soma::rules {

std::string_view to_text(refusal reason) {
  switch (reason) {
#define SOMA_REFUSAL_TEXT(name, number, text) \
  case refusal::name:                         \
    return text;
    SOMA_REFUSALS(SOMA_REFUSAL_TEXT)
#undef SOMA_REFUSAL_TEXT
  }
  return "unknown refusal";
}

std::string_view name_of(refusal reason) {
  switch (reason) {
#define SOMA_REFUSAL_NAME(name, number, text) \
  case refusal::name:                         \
    return #name;
    SOMA_REFUSALS(SOMA_REFUSAL_NAME)
#undef SOMA_REFUSAL_NAME
  }
  return "unknown_refusal";
}

}  // namespace soma::rules
