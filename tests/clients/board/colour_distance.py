"""How different two colours look.

Vision without one kind of cone is simulated after G. Machado, M. Oliveira and L. Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency" (IEEE TVCG 15(6), 2009), by coloraide.
Distances are CIEDE2000. A distance of 2.3 is just noticed (M. Mahy et al., "Evaluation of Uniform Color
Spaces Developed after the Adoption of CIELAB and CIELUV", 1994).
"""

from coloraide.everything import ColorAll as Color

JUST_NOTICED = 2.3
MIN_STEP = 2 * JUST_NOTICED
"""Between neighbouring steps of the heat map, which touch in its legend."""


def seen_by(colour: str, vision: str) -> Color:
    """vision: ordinary, or protan, deutan or tritan: without that cone."""
    seen = Color(colour)
    return seen if vision == "ordinary" else seen.filter(vision, method="machado").clip("srgb")


def distance(one: str, other: str, vision: str = "ordinary") -> float:
    return float(seen_by(one, vision).delta_e(seen_by(other, vision), method="2000"))
