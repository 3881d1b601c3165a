"""Backbones by name: the arguments that build each one offline, and how many weights it then has.

Sources of the figures: keras-cv's own preset tables, which carried the constructor arguments until release 0.7.2 and
carry parameter counts since; keras-hub's preset table; for `keras.applications`, the models themselves. keras-cv's
aliases and `from_preset` download these arguments, even for random weights; from here they cost no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Family:
    """Backbones that one class builds.

    Attributes:
        source: "keras_cv", "keras_hub" or "applications".
        builder: name of the class, or of the function of `keras.applications`.
        paper: where the architecture is from.
        common: arguments that all members share.
        members: name -> number of parameters, and the arguments that set this one apart.
        published: name with published weights -> the member whose architecture it has.
        multiple: transformers take squares whose side is a multiple of this; 1 for convolutional networks.
        least: smallest height and width that the builder takes.
        side: height and width that the published weights were trained at.
        convention: of the input, a name of `keras_recipe.models.conventions.CONVENTIONS`.
        file: of `keras.applications`, the name of the weights file that Keras downloads.
    """

    source: str
    builder: str
    paper: str
    common: Arguments
    members: Mapping[str, tuple[int, Arguments]]
    published: Mapping[str, str] = field(default_factory=dict)
    multiple: int = 1
    least: int = 32
    side: int = 224
    convention: str = "0..255"
    file: str = ""


@dataclass(frozen=True)
class Preset:
    """One backbone that can be named.

    Attributes:
        name: "source:name".
        family: what builds it.
        arguments: all that the builder needs besides the input's shape.
        parameters: number of weights, without a head, those of batch statistics included.
        has_weights: whether pretrained weights are published under this name.
    """

    name: str
    family: Family
    arguments: Arguments
    parameters: int
    has_weights: bool

    @property
    def short(self) -> str:
        """The name without its source."""
        return self.name.partition(":")[2]

    @property
    def takes_alpha(self) -> bool:
        """Whether the builder takes a width multiplier, for which weights of their own are published."""
        return self.name in ("applications:MobileNet", "applications:MobileNetV2")


def _table(*families: Family) -> Mapping[str, Preset]:
    found: dict[str, Preset] = {}
    for family in families:
        names = {name: name for name in family.members} | dict(family.published)
        for name, member in names.items():
            parameters, own = family.members[member]
            full = f"{family.source}:{name}"
            found[full] = Preset(full, family, {**family.common, **own}, parameters, name in family.published)
    return MappingProxyType(found)


def _of_applications(
    names: Mapping[str, int], file: str, paper: str, convention: str, side: int = 224, least: int = 32
) -> Iterator[Family]:
    """One family a function: they take no arguments that tell members apart."""
    for name, parameters in names.items():
        common = {"include_top": False}
        if name.startswith("MobileNetV3") or name.startswith(("ConvNeXt", "EfficientNetV2")):
            common["include_preprocessing"] = True
        yield Family(
            "applications", name, paper, common, {name: (parameters, {})}, {name: name},
            convention=convention, side=side, least=least, file=file,
        )  # fmt: skip


_RESNET = {"stackwise_filters": (64, 128, 256, 512), "stackwise_strides": (1, 2, 2, 2)}
_BASIC, _BOTTLENECK = {"block_type": "basic_block"}, {"block_type": "block"}

_MBCONV = {
    "stackwise_kernel_sizes": (3, 3, 5, 3, 5, 5, 3),
    "stackwise_num_repeats": (1, 2, 2, 3, 3, 4, 1),
    "stackwise_input_filters": (32, 16, 24, 40, 80, 112, 192),
    "stackwise_output_filters": (16, 24, 40, 80, 112, 192, 320),
    "stackwise_expansion_ratios": (1, 6, 6, 6, 6, 6, 6),
    "stackwise_strides": (1, 2, 2, 2, 1, 2, 1),
    "drop_connect_rate": 0.2,
    "depth_divisor": 8,
}


def _scaled(width: float, depth: float, dropout: float) -> Arguments:
    return {"width_coefficient": width, "depth_coefficient": depth, "dropout_rate": dropout}


def _v2(
    repeats: tuple[int, ...],
    filters: tuple[int, ...],
    excite: tuple[float, ...],
    width: float = 1.0,
    depth: float = 1.0,
) -> Arguments:
    """EfficientNetV2: `filters` are the stem's, then those that each stage puts out; the first three stages are
    fused."""
    stages = len(repeats)
    return {
        "width_coefficient": width,
        "depth_coefficient": depth,
        "stackwise_kernel_sizes": (3,) * stages,
        "stackwise_num_repeats": repeats,
        "stackwise_input_filters": filters[:-1],
        "stackwise_output_filters": filters[1:],
        "stackwise_expansion_ratios": (1, 4, 4, 4, 6, 6, 6)[:stages],
        "stackwise_squeeze_and_excite_ratios": excite,
        "stackwise_strides": (1, 2, 2, 2, 1, 2, 1)[:stages],
        "stackwise_conv_types": ("fused",) * 3 + ("unfused",) * (stages - 3),
    }


_V2_BASE = (1, 2, 2, 3, 5, 8), (32, 16, 32, 48, 96, 112, 192), (0, 0, 0, 0.25, 0.25, 0.25)
_LATE = (0, 0, 0, 0.25, 0.25, 0.25, 0.25)


def _vit(width: int, depth: int, heads: int) -> Arguments:
    """ViTDet: attention is global in the last block of each quarter, and within windows elsewhere."""
    quarter = depth // 4
    return {
        "embed_dim": width,
        "depth": depth,
        "mlp_dim": 4 * width,
        "num_heads": heads,
        "global_attention_indices": tuple(range(quarter - 1, depth, quarter)),
    }


_KERAS_CV = (
    Family(
        "keras_cv", "ResNetBackbone", "He et al., 2015", _RESNET,
        {
            "resnet18": (11_186_112, {"stackwise_blocks": (2, 2, 2, 2), **_BASIC}),
            "resnet34": (21_301_696, {"stackwise_blocks": (3, 4, 6, 3), **_BASIC}),
            "resnet50": (23_561_152, {"stackwise_blocks": (3, 4, 6, 3), **_BOTTLENECK}),
            "resnet101": (42_605_504, {"stackwise_blocks": (3, 4, 23, 3), **_BOTTLENECK}),
            "resnet152": (58_295_232, {"stackwise_blocks": (3, 8, 36, 3), **_BOTTLENECK}),
        },
        {"resnet50_imagenet": "resnet50"},
    ),
    Family(
        "keras_cv", "ResNetV2Backbone", "He et al., 2016", _RESNET,
        {
            "resnet18_v2": (11_183_488, {"stackwise_blocks": (2, 2, 2, 2), **_BASIC}),
            "resnet34_v2": (21_299_072, {"stackwise_blocks": (3, 4, 6, 3), **_BASIC}),
            "resnet50_v2": (23_564_800, {"stackwise_blocks": (3, 4, 6, 3), **_BOTTLENECK}),
            "resnet101_v2": (42_626_560, {"stackwise_blocks": (3, 4, 23, 3), **_BOTTLENECK}),
            "resnet152_v2": (58_331_648, {"stackwise_blocks": (3, 8, 36, 3), **_BOTTLENECK}),
        },
        {"resnet50_v2_imagenet": "resnet50_v2"},
    ),
    Family(
        "keras_cv", "EfficientNetV1Backbone", "Tan & Le, 2019",
        {**_MBCONV, "stackwise_squeeze_and_excite_ratios": (0.25,) * 7, "activation": "swish"},
        {
            "efficientnetv1_b0": (4_049_564, _scaled(1.0, 1.0, 0.2)),
            "efficientnetv1_b1": (6_575_232, _scaled(1.0, 1.1, 0.2)),
            "efficientnetv1_b2": (7_768_562, _scaled(1.1, 1.2, 0.3)),
            "efficientnetv1_b3": (10_783_528, _scaled(1.2, 1.4, 0.3)),
            "efficientnetv1_b4": (17_673_816, _scaled(1.4, 1.8, 0.4)),
            "efficientnetv1_b5": (28_513_520, _scaled(1.6, 2.2, 0.4)),
            "efficientnetv1_b6": (40_960_136, _scaled(1.8, 2.6, 0.5)),
            "efficientnetv1_b7": (64_097_680, _scaled(2.0, 3.1, 0.5)),
        },
    ),
    Family(
        "keras_cv", "EfficientNetV2Backbone", "Tan & Le, 2021",
        {"skip_connection_dropout": 0.2, "depth_divisor": 8, "min_depth": 8, "activation": "swish"},
        {
            "efficientnetv2_s": (20_331_360, _v2((2, 4, 4, 6, 9, 15), (24, 24, 48, 64, 128, 160, 256), _LATE[:6])),
            "efficientnetv2_m": (53_150_388, _v2((3, 5, 5, 7, 14, 18, 5), (24, 24, 48, 80, 160, 176, 304, 512), _LATE)),
            "efficientnetv2_l": (
                117_746_848, _v2((4, 7, 7, 10, 19, 25, 7), (32, 32, 64, 96, 192, 224, 384, 640), _LATE)
            ),
            "efficientnetv2_b0": (5_919_312, _v2(*_V2_BASE)),
            "efficientnetv2_b1": (6_931_124, _v2(*_V2_BASE, 1.0, 1.1)),
            "efficientnetv2_b2": (8_769_374, _v2(*_V2_BASE, 1.1, 1.2)),
            "efficientnetv2_b3": (12_930_622, _v2(*_V2_BASE, 1.2, 1.4)),
        },
        {f"efficientnetv2_{size}_imagenet": f"efficientnetv2_{size}" for size in ("s", "b0", "b1", "b2")},
    ),
    Family(
        "keras_cv", "EfficientNetLiteBackbone", "Liu, 2020, of EfficientNet", {**_MBCONV, "activation": "relu6"},
        {
            "efficientnetlite_b0": (3_413_024, _scaled(1.0, 1.0, 0.2)),
            "efficientnetlite_b1": (4_189_344, _scaled(1.0, 1.1, 0.2)),
            "efficientnetlite_b2": (4_869_168, _scaled(1.1, 1.2, 0.3)),
            "efficientnetlite_b3": (6_992_768, _scaled(1.2, 1.4, 0.3)),
            "efficientnetlite_b4": (11_837_936, _scaled(1.4, 1.8, 0.3)),
        },
    ),
    Family(
        "keras_cv", "DenseNetBackbone", "Huang et al., 2017", {"compression_ratio": 0.5, "growth_rate": 32},
        {
            "densenet121": (7_037_504, {"stackwise_num_repeats": (6, 12, 24, 16)}),
            "densenet169": (12_642_880, {"stackwise_num_repeats": (6, 12, 32, 32)}),
            "densenet201": (18_321_984, {"stackwise_num_repeats": (6, 12, 48, 32)}),
        },
        {f"densenet{depth}_imagenet": f"densenet{depth}" for depth in (121, 169, 201)},
    ),
    Family(
        "keras_cv", "MobileNetV3Backbone", "Howard et al., 2019", {"alpha": 1.0},
        {
            "mobilenet_v3_small": (939_120, {
                "stackwise_expansion": (1, 4.5, 88 / 24, 4, 6, 6, 3, 3, 6, 6, 6),
                "stackwise_filters": (16, 24, 24, 40, 40, 40, 48, 48, 96, 96, 96),
                "stackwise_kernel_size": (3,) * 3 + (5,) * 8,
                "stackwise_stride": (2, 2, 1, 2, 1, 1, 1, 1, 2, 1, 1),
                "stackwise_se_ratio": (0.25, None, None) + (0.25,) * 8,
                "stackwise_activation": ("relu",) * 3 + ("hard_swish",) * 8,
            }),
            "mobilenet_v3_large": (2_996_352, {
                "stackwise_expansion": (1, 4, 3, 3, 3, 3, 6, 2.5, 2.3, 2.3, 6, 6, 6, 6, 6),
                "stackwise_filters": (16, 24, 24, 40, 40, 40, 80, 80, 80, 80, 112, 112, 160, 160, 160),
                "stackwise_kernel_size": (3,) * 3 + (5,) * 3 + (3,) * 6 + (5,) * 3,
                "stackwise_stride": (1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1),
                "stackwise_se_ratio": (None,) * 3 + (0.25,) * 3 + (None,) * 4 + (0.25,) * 5,
                "stackwise_activation": ("relu",) * 6 + ("hard_swish",) * 9,
            }),
        },
        {f"mobilenet_v3_{size}_imagenet": f"mobilenet_v3_{size}" for size in ("small", "large")},
    ),
    Family(
        "keras_cv", "CSPDarkNetBackbone", "Bochkovskiy et al., 2020", {"use_depthwise": False},
        {
            f"csp_darknet_{size}": (
                parameters,
                {"stackwise_channels": tuple(width * 2**i for i in range(4)), "stackwise_depth": depths},
            )
            for size, parameters, width, depths in (
                ("tiny", 2_380_416, 48, (1, 3, 3, 1)),
                ("s", 4_223_488, 64, (1, 3, 3, 1)),
                ("m", 12_374_400, 96, (2, 6, 6, 2)),
                ("l", 27_111_424, 128, (3, 9, 9, 3)),
                ("xl", 56_837_970, 170, (4, 12, 12, 4)),
            )
        },
        {f"csp_darknet_{size}_imagenet": f"csp_darknet_{size}" for size in ("tiny", "l")},
    ),
    Family(
        "keras_cv", "MiTBackbone", "Xie et al., 2021", {},
        {
            "mit_b0": (3_319_392, {"embedding_dims": (32, 64, 160, 256), "depths": (2, 2, 2, 2)}),
            **{
                f"mit_b{size}": (parameters, {"embedding_dims": (64, 128, 320, 512), "depths": depths})
                for size, parameters, depths in (
                    (1, 13_151_424, (2, 2, 2, 2)),
                    (2, 24_196_288, (3, 4, 6, 3)),
                    (3, 44_072_128, (3, 4, 18, 3)),
                    (4, 60_842_688, (3, 8, 27, 3)),
                    (5, 81_443_008, (3, 6, 40, 3)),
                )
            },
        },
        {"mit_b0_imagenet": "mit_b0"},
        multiple=32,
    ),
    Family(
        "keras_cv", "VGG16Backbone", "Simonyan & Zisserman, 2014", {"include_top": False},
        {"vgg16": (14_714_688, {})},
    ),
    Family(
        "keras_cv", "ViTDetBackbone", "Li et al., 2022",
        {
            "patch_size": 16, "out_chans": 256, "use_bias": True, "use_abs_pos": True, "use_rel_pos": True,
            "window_size": 14, "layer_norm_epsilon": 1e-6,
        },
        # Counted at the 1024 x 1024 of the published weights: position embeddings grow with the input.
        {
            "vitdet_base": (89_670_912, _vit(768, 12, 12)),
            "vitdet_large": (308_278_272, _vit(1024, 24, 16)),
            "vitdet_huge": (637_026_048, _vit(1280, 32, 16)),
        },
        {f"vitdet_{size}_sa1b": f"vitdet_{size}" for size in ("base", "large", "huge")},
        multiple=16, side=1024,
    ),
)  # fmt: skip

_HUB_RESNET = {
    "input_conv_filters": (64,),
    "input_conv_kernel_sizes": (7,),
    "stackwise_num_filters": (64, 128, 256, 512),
    "stackwise_num_strides": (1, 2, 2, 2),
}


def _hub_resnet(blocks: tuple[int, ...], block: str, pre: bool = False) -> Arguments:
    return {"stackwise_num_blocks": blocks, "block_type": block, "use_pre_activation": pre}


_KERAS_HUB = (
    Family(
        "keras_hub", "ResNetBackbone", "He et al., 2015 and 2016", _HUB_RESNET,
        {
            "resnet_18": (11_186_112, _hub_resnet((2, 2, 2, 2), "basic_block")),
            "resnet_50": (23_561_152, _hub_resnet((3, 4, 6, 3), "bottleneck_block")),
            "resnet_101": (42_605_504, _hub_resnet((3, 4, 23, 3), "bottleneck_block")),
            "resnet_152": (58_295_232, _hub_resnet((3, 8, 36, 3), "bottleneck_block")),
            "resnet_v2_50": (23_545_792, _hub_resnet((3, 4, 6, 3), "bottleneck_block", pre=True)),
            "resnet_v2_101": (42_590_144, _hub_resnet((3, 4, 23, 3), "bottleneck_block", pre=True)),
        },
        {f"{name}_imagenet": name for name in
         ("resnet_18", "resnet_50", "resnet_101", "resnet_152", "resnet_v2_50", "resnet_v2_101")},
    ),
    Family(
        "keras_hub", "DenseNetBackbone", "Huang et al., 2017", {"compression_ratio": 0.5, "growth_rate": 32},
        {
            "densenet_121": (7_037_504, {"stackwise_num_repeats": (6, 12, 24, 16)}),
            "densenet_169": (12_642_880, {"stackwise_num_repeats": (6, 12, 32, 32)}),
            "densenet_201": (18_321_984, {"stackwise_num_repeats": (6, 12, 48, 32)}),
        },
        {f"densenet_{depth}_imagenet": f"densenet_{depth}" for depth in (121, 169, 201)},
    ),
    Family(
        "keras_hub", "VGGBackbone", "Simonyan & Zisserman, 2014", {"stackwise_num_filters": (64, 128, 256, 512, 512)},
        {
            "vgg_11": (9_220_480, {"stackwise_num_repeats": (1, 1, 2, 2, 2)}),
            "vgg_13": (9_404_992, {"stackwise_num_repeats": (2, 2, 2, 2, 2)}),
            "vgg_16": (14_714_688, {"stackwise_num_repeats": (2, 2, 3, 3, 3)}),
            "vgg_19": (20_024_384, {"stackwise_num_repeats": (2, 2, 4, 4, 4)}),
        },
        {f"vgg_{depth}_imagenet": f"vgg_{depth}" for depth in (11, 13, 16, 19)},
    ),
)  # fmt: skip

_TF = "{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"

_APPLICATIONS = (
    *_of_applications(
        {"MobileNet": 3_228_864}, "mobilenet_{tenths}_{side}_tf_no_top.h5", "Howard et al., 2017", "-1..1"
    ),
    *_of_applications(
        {"MobileNetV2": 2_257_984},
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_{side}_no_top.h5",
        "Sandler et al., 2018",
        "-1..1",
    ),
    *(
        family
        for size, parameters in (("Small", 939_120), ("Large", 2_996_352))
        for family in _of_applications(
            {f"MobileNetV3{size}": parameters},
            f"weights_mobilenet_v3_{size.lower()}_224_1.0_float_no_top_v2.h5",
            "Howard et al., 2019",
            "0..255",
        )
    ),
    *(
        family
        for size, parameters, side in (
            ("B0", 4_049_571, 224), ("B1", 6_575_239, 240), ("B2", 7_768_569, 260), ("B3", 10_783_535, 300),
            ("B4", 17_673_823, 380), ("B5", 28_513_527, 456), ("B6", 40_960_143, 528), ("B7", 64_097_687, 600),
        )
        for family in _of_applications(
            {f"EfficientNet{size}": parameters}, "{name}_notop.h5", "Tan & Le, 2019", "0..255", side
        )
    ),
    *(
        family
        for size, parameters, side in (
            ("B0", 5_919_312, 224), ("B1", 6_931_124, 240), ("B2", 8_769_374, 260), ("B3", 12_930_622, 300),
            ("S", 20_331_360, 384), ("M", 53_150_388, 480), ("L", 117_746_848, 480),
        )
        for family in _of_applications(
            {f"EfficientNetV2{size}": parameters},
            f"efficientnetv2-{size.lower()}_notop.h5", "Tan & Le, 2021", "0..255", side,
        )
    ),
    *_of_applications(
        {"ResNet50": 23_587_712, "ResNet101": 42_658_176, "ResNet152": 58_370_944}, _TF, "He et al., 2015", "caffe"
    ),
    *_of_applications(
        {"ResNet50V2": 23_564_800, "ResNet101V2": 42_626_560, "ResNet152V2": 58_331_648}, _TF, "He et al., 2016",
        "-1..1"
    ),
    *_of_applications(
        {"DenseNet121": 7_037_504, "DenseNet169": 12_642_880, "DenseNet201": 18_321_984},
        _TF,
        "Huang et al., 2017",
        "imagenet",
    ),
    *_of_applications({"VGG16": 14_714_688, "VGG19": 20_024_384}, _TF, "Simonyan & Zisserman, 2014", "caffe"),
    *_of_applications(
        {"InceptionV3": 21_802_784}, "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5", "Szegedy et al., 2015",
        "-1..1", 299, 75,
    ),
    *_of_applications(
        {"InceptionResNetV2": 54_336_736}, "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "Szegedy et al., 2016", "-1..1", 299, 75,
    ),
    *_of_applications({"Xception": 20_861_480}, _TF, "Chollet, 2017", "-1..1", 299, 71),
    *_of_applications({"NASNetMobile": 4_269_716}, "nasnet_mobile_no_top.h5", "Zoph et al., 2018", "-1..1"),
    *_of_applications({"NASNetLarge": 84_887_922}, "nasnet_large_no_top.h5", "Zoph et al., 2018", "-1..1", 331),
    *(
        family
        for size, parameters in (
            ("Tiny", 27_820_128), ("Small", 49_454_688), ("Base", 87_566_464), ("Large", 196_230_336),
            ("XLarge", 348_147_968),
        )
        for family in _of_applications(
            {f"ConvNeXt{size}": parameters}, f"convnext_{size.lower()}_notop.h5", "Liu et al., 2022", "0..255"
        )
    ),
)  # fmt: skip

FAMILIES = (*_KERAS_CV, *_KERAS_HUB, *_APPLICATIONS)
"""All that is known of backbones."""

PRESETS = _table(*FAMILIES)
"""Every backbone that can be built by name, as "source:name"."""

SOURCES = ("keras_cv", "keras_hub", "applications")
