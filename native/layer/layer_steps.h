#pragma once
/// Steps of the tree verbs, as they appear in a Failure.
namespace tsrun::step {
inline constexpr char kLayerJail[] = "layer.jail";
inline constexpr char kLayerRead[] = "layer.read";
inline constexpr char kLayerInflate[] = "layer.inflate";
inline constexpr char kLayerDeflate[] = "layer.deflate";
inline constexpr char kLayerTar[] = "layer.tar";
inline constexpr char kLayerEntry[] = "layer.entry";
inline constexpr char kLayerWalk[] = "layer.walk";
inline constexpr char kLayerWrite[] = "layer.write";
}  // namespace tsrun::step
