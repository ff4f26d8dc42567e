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
/// Finding what is to be copied, or where to.
inline constexpr char kCopyPath[] = "copy.path";
/// What the rules of a copy forbid: a directory over a file, a read-only place.
inline constexpr char kCopyRefused[] = "copy.refused";
}  // namespace tsrun::step
