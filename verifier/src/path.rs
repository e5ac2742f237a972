//! RFC 6962's tree.

use crate::Hash;
use crate::form::sha256;

/// The root that an audit path leads to from a leaf; none when the path is not one of such a tree (RFC 9162, 2.1.3.2).
pub fn root_of(leaf: Hash, index: u64, leaves: u64, path: &[Hash]) -> Option<Hash> {
    if index >= leaves {
        return None;
    }
    let mut at = index;
    let mut last = leaves - 1;
    let mut hash = leaf;
    for beside in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            hash = sha256(&[&[0x01], beside, &hash]);
            while at.is_multiple_of(2) && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            hash = sha256(&[&[0x01], &hash, beside]);
        }
        at /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::Sha256;

    use super::*;

    fn tree(leaves: u8) -> MemoryBackedTree<Sha256, [u8; 1]> {
        let mut tree = MemoryBackedTree::new();
        for leaf in 0..leaves {
            tree.push([leaf]);
        }
        tree
    }

    fn path(tree: &MemoryBackedTree<Sha256, [u8; 1]>, index: u8) -> Vec<Hash> {
        let proof = tree.prove_inclusion(usize::from(index));
        let hashes = proof.as_bytes().chunks(32);
        hashes.map(|hash| hash.try_into().expect("32 bytes")).collect()
    }

    fn leaf(leaf: u8) -> Hash {
        sha256(&[&[0x00], &[leaf]])
    }

    #[test]
    fn every_path_of_every_small_tree_leads_to_its_root() {
        for leaves in 1..=70 {
            let tree = tree(leaves);
            let root: Hash = (*tree.root().as_bytes()).into();
            for index in 0..leaves {
                let found = root_of(leaf(index), index.into(), leaves.into(), &path(&tree, index));
                assert_eq!(found, Some(root), "leaf {index} of {leaves}");
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_else_leads_to_the_root(
            leaves in 1_u8..=200, place in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
            byte in 0_usize..32, bit in 0_u32..8,
        ) {
            let index = u8::try_from(place.index(leaves.into())).expect("below 200");
            let tree = tree(leaves);
            let root: Hash = (*tree.root().as_bytes()).into();
            let path = path(&tree, index);
            let wrong = u8::try_from(other.index(leaves.into())).expect("below 200");
            if wrong != index {
                prop_assert_ne!(root_of(leaf(wrong), index.into(), leaves.into(), &path), Some(root));
                prop_assert_ne!(root_of(leaf(index), wrong.into(), leaves.into(), &path), Some(root));
            }
            prop_assert_eq!(root_of(leaf(index), leaves.into(), leaves.into(), &path), None);
            let mut longer = path.clone();
            longer.push([0; 32]);
            prop_assert_eq!(root_of(leaf(index), index.into(), leaves.into(), &longer), None);
            if let Some((_, shorter)) = path.split_last() {
                prop_assert_eq!(root_of(leaf(index), index.into(), leaves.into(), shorter), None);
                let mut flipped = path.clone();
                flipped[other.index(path.len())][byte] ^= 1 << bit;
                prop_assert_ne!(root_of(leaf(index), index.into(), leaves.into(), &flipped), Some(root));
            }
        }
    }
}
