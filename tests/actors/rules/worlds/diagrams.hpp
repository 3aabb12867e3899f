// The state diagrams of PROTOCOL.md as the worlds use them: a step that is not drawn there must not
// happen.
#pragma once

#include <set>
#include <string>
#include <utility>

namespace soma::test {

/// One diagram of PROTOCOL.md, named by the comment in its first line.
enum class life : unsigned char { model, version, target };
inline constexpr life all_lives[] = {life::model, life::version, life::target};

struct life_step {
  life of{};
  std::string from, to;  // states as the diagram names them; `[*]` before the first
  friend auto operator<=>(const life_step&, const life_step&) = default;
};

/// All steps of all diagrams. Throws when a diagram cannot be read.
[[nodiscard]] const std::set<life_step>& drawn_steps();

/// The steps that a world has taken.
class taken_steps {
 public:
  /// Throws a violation when the diagram does not have the step.
  void take(life of, std::string from, std::string to);
  [[nodiscard]] const std::set<life_step>& all() const { return taken_; }

 private:
  std::set<life_step> taken_;
};

}  // namespace soma::test
