// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Written by scripts/build_groth16_fixture.py; do not edit. The key's secrets are known to everybody.
library Groth16Fixture {
    bytes32 internal constant CIRCUIT_HASH = 0xf7a3c82dd4d1c527ca96fd0a751bab272f6dc6a8d26e4452b894241a9b8c9590;
    uint256 internal constant SAMPLES = 4;
    uint256 internal constant CHUNK_HASH = 0x1c62d39df9f0a9b65192c70a6e499b7c89f139b40b4ca50534724c15b2bcad52;
    uint256 internal constant CORRECT = 3;

    function key() internal pure returns (uint256[20] memory) {
        return [
            0x170357e9449a77f640fbbe3897fffdf0b94650d49e776abc13430c9da4e3caba,
            0x5cee81694ea0a64a2f9b9ef8746b47cb707ba66e43b3aaff51a37c65255450a,
            0x2c5a86dff2d9e85c00d5e09c8bca0fe677a555e3a56f0c8dfafc9f602fb5df48,
            0x154df29fe8c386a48731c45411874f330eeaf56beb76613d4cd5ebe77d30f82a,
            0x1cf62557a13061087d819ebae20ac66172f4b5b502beb4516e3ad179642bb422,
            0x29ccfd6e2fe880cc01226f949c75791bcd6fc52604feb6d11e3d9bf842217244,
            0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2,
            0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
            0x275dc4a288d1afb3cbb1ac09187524c7db36395df7be3b99e673b13a075a65ec,
            0x1d9befcd05a5323e6da4d435f3b617cdb3af83285c2df711ef39c01571827f9d,
            0xe51978172f72b935bf610a5433d05e2c711d4a8254d8421e175a97a6cd5b6d7,
            0x152fa5b9f568df3ffacade64d3f66665e84f68552070104f95f719749d22a690,
            0x551956f11b76aa36c3778e8e27f5bd3892700f0d9b439f3b152991129c18431,
            0x11aed5a3f105e9367350166b807b7d50bac95e5fc4edc134899045be803f5915,
            0x2c2ac75a75715010cdb1f06c9b71b791572433e294df0a70a95cda9ea0d95335,
            0x249fd2d336235d82aa93213553252513f773cb4511f07a6c65b3aa9abaf732fa,
            0x14f9b13e2dc9c57a96ca31c7dc6bf8539eeb4aa3de82a6fbbd48de387941cbad,
            0x1aeac066ebd73f55780209e17dfa47718570702cfd463326d185174b692a1c12,
            0x25f4b3acf415bc088bcb1d945f5e5b00f61fb2025be4c28da386270a167ca92b,
            0xd252ecaded1270bea87d7ebae1e5645dd359246e5eff8d976bf2794f702d3a6
        ];
    }

    /// @dev Of prover 0 and 1, the same network.
    function modelHash(uint256 index) internal pure returns (uint256) {
        if (index == 0) return 0x2243958b0c85cdb39982b8b743d1fbdd762f29bc9e9d7a46977131403698f644;
        if (index == 1) return 0x16f2e4b44695a8f7a539d8fbbed32c3d2d2a381954717cb05359dd45d759fe93;
        revert("no such");
    }

    function prover(uint256 index) internal pure returns (uint256) {
        if (index == 0) return 0xa11ce;
        if (index == 1) return 0xb0b;
        revert("no such");
    }

    /// @dev A point of the twist that is not in the group of prime order, as a proof has it.
    function outside() internal pure returns (uint256[4] memory) {
        return [
            0x0,
            0x1,
            0xd1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        ];
    }

    /// @dev 0 and 1 are two proofs of prover 0's statement; 2 and 3 of prover 1's.
    function proof(uint256 index) internal pure returns (bytes memory) {
        if (index == 0) {
            return hex"1526a12f4c4f2e842723973ecee3c118e63cd40614768535f0701a0dab88bbd62d724b919199ef00ce460b62decaf401aa2787ffa29b7f8f646316d5b12744d50d093174bbcc41562f7cd66605fb8d0258b69140c7d78cc31f407558da248bac1333c9ec2045dc8c3ab003688038e6c2fa151787b8c866b071456f8dfdcf6be9014caac10bc14e595c63c5c24ceb78659fc26dab39721ff083dd008c70bc18df2c04bf88b8607f6a2d5b73a204a5eaa2a8f7228dfffe3d847e9074d38a2e31e61a2ac7d1eb95496330221e1bf3bb54de2e9c390b5fd7537c872ea83cf1151909028eef01de0ff34de90343c265a2566724bd4d40919b00b1fb0a6f8ec6025048";
        }
        if (index == 1) {
            return hex"24c444ce072f49da1be62c5629de05e83321dd59fa40f22afb0cb82a7f30332d085d811cdda277159d4573761f7bd139d142c71248baa1dfd49f67a243edcf9608189bea616413249b258c7617f28b0b02d630626f6a30c3a2c6c16b47263c1f278722d13c9d54f46d7f5567867946009a89db28e5b869edcf1eb7ac8dc8e83b2bbf3f0f47322e2231cb244a1a60afd7d5ff0a0a81435f52d46388540ca1a36707ed69d6442696e6f6a982f5d06faee81cecf5eb1b8b42fbf7803556a3531cb5011a0b16150789332caa70c368635625848c8ce3775622665f23ead1e5110b9205dbfb97d2eb59a347a25aa8beb6dee544cf8e3943c2f1e01b7e848001d0b7e8";
        }
        if (index == 2) {
            return hex"03e344d3dfa3d3f2a47f79bf0d41c5f81abda92a0d6da20de7e2aa75719b30e62f63697ede15db84ee645558859f2d42291717a53176ac49213785aaf5a6b48704a3767e9d81e2bc5e81710d79ac36430b6019937ebf2bbe4d5971cd27634cb8277179652a8b9d0c2594c4f33631014208072f6f76855c0d3a871bb70ff5ec91068d8761d45bd3c8613aeb52c7e05d72d411c076822077b1cf5978bf94f2c5e028f2d80086ea6993fd468b27fa4b9bf2c9f5e207e52adbe25304323cc6939eb12ae49460c9ca9700f778f862f5e4d65e0f17bc63439bedd83b67c5807157ebf52fbda302b6e3cc30f20382e88587dd1193ca0801841c97e695f6513491307518";
        }
        if (index == 3) {
            return hex"20738c2f44c668b57899940f6b40308a89590a940200f167eca9e52bab8f5c6811328ce23bc04e6f9a47737840e5546334cd72666323fae329222146a15153450f0d4f580fa3b191bc439d165fb973b900a0dbf4f2684e8d54549e8048fe5f2900aecea318ba1162dfca581a56cf402eed51f325207b48edf7c9c06718a0c7140da2be72e76192fc1d6fc44ed03a09e91961d093e44eab40f1b09669bb23c2b919122c3b6cccbfe699308f28dfdaef249e4ceaf9a83991b639d9503f0bb50efd1bfcce629c9a13e5167ff9405c6a47d701c16b9c9055890fa3a4533959aa37280a98bf205765168dc9cfbd37ce68630c6d2e5458dc701358b058ed86aae75502";
        }
        revert("no such");
    }
}
