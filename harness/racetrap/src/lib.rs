//! Holds a Rancher Desktop daemon's world still where a race lives, and judges what follows.
